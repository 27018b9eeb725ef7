import type { Role } from '../domain/kernel/event.js';

/** The roles that a token can carry. */
export const CALLER_ROLES = ['owner', 'administrator', 'receptionist', 'client', 'auditor'] as const satisfies readonly Role[];

export type CallerRole = (typeof CALLER_ROLES)[number];

const managers: readonly CallerRole[] = ['owner', 'administrator'];
const staff: readonly CallerRole[] = [...managers, 'receptionist'];
const auditor: readonly CallerRole[] = ['auditor'];
const client: readonly CallerRole[] = ['client'];

/** Who may do what (product A2). An operation names one of these; the auditor has every read and no change. */
export const PERMISSIONS = {
  'settings:read': [...staff, ...auditor],
  'settings:write': managers,
  // taxes, services, providers, offerings, categories
  'catalogue:read': [...staff, ...auditor],
  'catalogue:write': managers,

  'clients:read': [...staff, ...auditor],
  'clients:write': staff, // linking them included
  'clients:forget': managers,
  'packages:read': [...staff, ...auditor],
  'packages:sell': staff, // and assign
  'packages:adjust': staff,
  'packages:cancel': staff,
  'packages:refund': managers,
  'packages:import': managers,
  'imports:read': [...managers, ...auditor],
  'appointments:read': [...staff, ...auditor],
  'appointments:write': staff,
  'invoices:read': [...staff, ...auditor],
  'invoices:adjust': managers, // overall adjustments
  'payments:take': staff,
  'payments:void': managers,

  'history:read': [...managers, ...auditor], // whole histories, states at a past moment, replay (section K)
  'reports:sales': [...managers, ...auditor],
  'reports:usage': [...staff, ...auditor],

  // what section I gives a client, on their own data
  'own:read': client,
  'own:book': client,
  'own:buy': client,
} as const satisfies Record<string, readonly CallerRole[]>;

export type Permission = keyof typeof PERMISSIONS;

const granted = Object.fromEntries(Object.entries(PERMISSIONS).map(([permission, roles]) => [permission, new Set<CallerRole>(roles)]));

export const permits = (role: CallerRole, permission: Permission): boolean => granted[permission]?.has(role) ?? false;

/** Of the permissions that an operation accepts, any one is enough: `@Allow('packages:read', 'own:read')`. */
export const permitsAny = (role: CallerRole, permissions: readonly Permission[]): boolean =>
  permissions.some((permission) => permits(role, permission));

export const isCallerRole = (role: unknown): role is CallerRole => CALLER_ROLES.includes(role as CallerRole);
