import { CALLER_ROLES, isCallerRole, PERMISSIONS, permits, permitsAny } from './roles.js';
import type { CallerRole, Permission } from './roles.js';

const all = Object.keys(PERMISSIONS) as Permission[];
const of = (role: CallerRole): Permission[] => all.filter((permission) => permits(role, permission));

describe('Who may do what', () => {
  it('A2: settings, catalogue, refunds, overall adjustments, voiding payments and imports are for owners and administrators', () => {
    for (const permission of [
      'settings:write',
      'catalogue:write',
      'packages:refund',
      'invoices:adjust',
      'payments:void',
      'packages:import',
      'clients:forget',
    ] as const)
      expect(CALLER_ROLES.filter((role) => permits(role, permission))).toEqual(['owner', 'administrator']);
  });

  it('A2: selling, booking, adjusting, cancelling, taking payments and linking are for all three staff roles', () => {
    for (const permission of [
      'packages:sell',
      'appointments:write',
      'packages:adjust',
      'packages:cancel',
      'payments:take',
      'clients:write',
    ] as const)
      expect(CALLER_ROLES.filter((role) => permits(role, permission))).toEqual(['owner', 'administrator', 'receptionist']);
  });

  it('A2: the sales report is not for receptionists, the usage report is', () => {
    expect(CALLER_ROLES.filter((role) => permits(role, 'reports:sales'))).toEqual(['owner', 'administrator', 'auditor']);
    expect(CALLER_ROLES.filter((role) => permits(role, 'reports:usage'))).toEqual(['owner', 'administrator', 'receptionist', 'auditor']);
  });

  it('A2: the auditor has every read and no change', () => {
    const reads = all.filter((permission) => /:read$|^reports:/.test(permission) && !permission.startsWith('own:'));
    expect(of('auditor')).toEqual(reads);
  });

  it('A2: a client has what section I gives and nothing else', () => {
    expect(of('client')).toEqual(['own:read', 'own:book', 'own:buy']);
    for (const role of CALLER_ROLES) expect(of(role).some((permission) => permission.startsWith('own:'))).toBe(role === 'client');
  });

  it('takes any one of the permissions that an operation accepts', () => {
    expect(permitsAny('client', ['packages:read', 'own:read'])).toBe(true);
    expect(permitsAny('client', ['packages:read'])).toBe(false);
  });

  it('knows no role that comes in by a token but the five', () => {
    expect(['system', 'root', 'Owner', '', undefined, ['owner'], '__proto__'].filter(isCallerRole)).toEqual([]);
  });
});
