// Imports point one way: apps → libs and projections → libs/domain. A rule that is in the way of a good idea is changed here, openly.

const ourOwn = '^(apps|libs|projections|test|bench)/';
const domainPackages = 'zod|temporal-polyfill|uuid|canonicalize|big\\.js';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-circles',
      comment: 'Two files that need each other are one file, or three.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'domain-is-pure',
      comment: 'The rules know nothing of how they are stored, served or started.',
      severity: 'error',
      from: { path: '^libs/domain/', pathNot: '\\.spec\\.ts$' },
      to: { path: ourOwn, pathNot: '^libs/domain/' },
    },
    {
      name: 'domain-has-no-framework',
      comment: 'Schemas, calendar, ids, canonical JSON and decimals; of Node, only the comparison in util.',
      severity: 'error',
      from: { path: '^libs/domain/', pathNot: ['\\.spec\\.ts$', '^libs/domain/testing/'] },
      to: {
        dependencyTypes: ['npm', 'npm-dev', 'npm-peer', 'npm-optional', 'npm-no-pkg', 'core'],
        pathNot: ['^util$', `^node_modules/(${domainPackages})/`],
      },
    },
    {
      name: 'printing-is-pure',
      comment: 'What is on paper follows from an invoice alone: no query, no framework.',
      severity: 'error',
      from: { path: '^libs/printing/', pathNot: ['\\.spec\\.ts$', '/testing/'] },
      to: { path: ourOwn, pathNot: '^(libs/printing|libs/domain)/' },
    },
    {
      name: 'one-door-to-the-event-store',
      comment:
        'libs/event-store is the only importer of the client; the embedded server builds on its generated definitions, and tests and benchmarks speak to a server directly.',
      severity: 'error',
      from: { path: ourOwn, pathNot: '^(libs/event-store|libs/embedded-event-store|test/contract|test/fault|bench)/' },
      to: { path: '^node_modules/@eventstore/db-client/' },
    },
    {
      name: 'one-door-to-stripe',
      comment:
        'libs/payments says what we need of Stripe in our own words. The simulator knows its types; tests and its specs speak to it directly.',
      severity: 'error',
      from: { path: ourOwn, pathNot: ['^libs/payments/', '^test/', '\\.spec\\.ts$', '/testing/'] },
      to: { path: '^node_modules/stripe/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'embedded-server-knows-no-client',
      comment: 'Of the client the embedded server has the generated protocol only. Its specs are clients.',
      severity: 'error',
      from: { path: '^libs/embedded-event-store/', pathNot: '(\\.spec\\.ts$|/testing/)' },
      to: { path: '^node_modules/@eventstore/db-client/', pathNot: '^node_modules/@eventstore/db-client/generated/' },
    },
    {
      name: 'read-models-are-folds',
      comment: 'A projection knows events and how one defines a projection: no database, no other part.',
      severity: 'error',
      from: { path: '^projections/', pathNot: '\\.spec\\.ts$' },
      to: { path: ourOwn, pathNot: '^(libs/domain/|libs/projection-engine/define-projection\\.ts$|projections/)' },
    },
    {
      name: 'read-models-stand-alone',
      comment: 'Each can be deleted as a unit. Names for sorting come from the directory, the one that all share.',
      severity: 'error',
      from: { path: '^projections/([^/.]+)', pathNot: '\\.spec\\.ts$' },
      to: { path: '^projections/', pathNot: ['^projections/directory\\.', '^projections/$1\\.'] },
    },
    {
      name: 'nothing-imports-apps',
      comment: 'What two apps need is a lib.',
      severity: 'error',
      from: { path: '^(libs|projections)/' },
      to: { path: '^apps/' },
    },
    {
      name: 'apps-stand-apart',
      comment: 'An app does not reach into another; the demo of the standalone app runs the API in its own process.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: ['^apps/$1/', '^apps/api/(app|config|parts)\\.ts$'] },
    },
    {
      name: 'tests-stay-outside',
      comment: 'What runs in production imports no tests, no benchmarks and no support for them.',
      severity: 'error',
      from: { path: '^(apps|libs|projections)/', pathNot: ['\\.spec\\.ts$', '/testing/'] },
      to: { path: ['^(test|bench)/', '\\.spec\\.ts$', '/testing/'] },
    },
    {
      name: 'no-development-packages',
      comment: 'What runs in production runs without devDependencies.',
      severity: 'error',
      from: { path: '^(apps|libs|projections)/', pathNot: ['\\.spec\\.ts$', '/testing/'] },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'type-only'], pathNot: '^node_modules/@types/' },
    },
    {
      name: 'not-to-unresolvable',
      comment: 'A name that leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: '^node_modules/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default'] },
  },
};
