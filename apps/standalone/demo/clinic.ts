import type { Terms } from '../../../libs/domain/offering/offering.events.js';

// What the demo clinic has and sells: one offering of each kind that there is.

export const CLINIC = { name: 'Clinique du Canal (demo)', timeZone: 'America/Toronto', currency: 'CAD' };

export const TAXES = [
  { name: 'GST', rate: '5' },
  { name: 'QST', rate: '9.975' },
];

const TAXED = [0, 1];
const EXEMPT: number[] = [];

export const SERVICES = [
  { name: 'Massage, 60 minutes', durationMinutes: 60, price: 9500, taxes: TAXED },
  { name: 'Massage, 90 minutes', durationMinutes: 90, price: 13500, taxes: TAXED },
  { name: 'Physiotherapy', durationMinutes: 45, price: 9000, taxes: EXEMPT },
  { name: 'Osteopathy', durationMinutes: 60, price: 11000, taxes: EXEMPT },
  { name: 'Acupuncture', durationMinutes: 45, price: 8500, taxes: EXEMPT },
  { name: 'Yoga class', durationMinutes: 75, price: 2500, taxes: TAXED },
];

export const PROVIDERS = [
  { name: 'Dana Roy', services: [0, 1] },
  { name: 'Samuel Okafor', services: [0, 1, 4] },
  { name: 'Mei-Lin Chen', services: [2, 4] },
  { name: 'Étienne Gagnon', services: [2, 3] },
  { name: 'Priya Raman', services: [3, 5] },
];

/** An offering before the ids are known: services and taxes by their place in the lists above. */
export interface PlannedOffering {
  name: string;
  services: [number, number | 'unlimited'][];
  expiryRule: Terms['expiryRule'];
  fee?: number; // paid upfront, taxed
  fees?: number[]; // paid each appointment, per service
}

const after = (from: 'purchase' | 'firstUse', amount: number, unit: 'days' | 'weeks' | 'months') => ({
  kind: 'after' as const,
  ...{ from, amount, unit },
});

/** @param lastDay a local date well after the demo's last sale */
export const offerings = (lastDay: string): PlannedOffering[] => [
  { name: 'Five massages', services: [[0, 5]], expiryRule: { kind: 'none' }, fee: 42000 },
  { name: 'Ten massages, one year', services: [[0, 10]], expiryRule: after('purchase', 12, 'months'), fee: 79000 },
  {
    name: 'Recovery: physiotherapy and massage',
    services: [
      [2, 4],
      [0, 2],
    ],
    expiryRule: after('purchase', 180, 'days'),
    fee: 49900,
  },
  { name: 'Yoga, unlimited month', services: [[5, 'unlimited']], expiryRule: after('firstUse', 30, 'days'), fee: 14900 },
  {
    name: 'Spring pass',
    services: [
      [5, 10],
      [4, 2],
    ],
    expiryRule: { kind: 'onDate', date: lastDay },
    fee: 32000,
  },
  { name: 'Osteopathy trio', services: [[3, 3]], expiryRule: after('firstUse', 3, 'months'), fee: 29900 },
  { name: 'Acupuncture course', services: [[4, 6]], expiryRule: after('purchase', 26, 'weeks'), fees: [7200] },
  { name: 'Physiotherapy as you go', services: [[2, 8]], expiryRule: { kind: 'none' }, fees: [7900] },
  {
    name: 'Wellness as you go',
    services: [
      [1, 3],
      [3, 3],
    ],
    expiryRule: after('firstUse', 26, 'weeks'),
    fees: [11900, 9900],
  },
  { name: 'Members: any yoga', services: [[5, 'unlimited']], expiryRule: { kind: 'none' }, fees: [1500] },
];

/** How the list of what is sold is arranged: offerings by their place in it. What is in no category stands above them. */
export const CATEGORIES = [
  { name: 'Massage and recovery', offerings: [0, 1, 2] },
  { name: 'Yoga', offerings: [3, 9] },
  { name: 'As you go', offerings: [6, 7, 8] },
];
export const UNGROUPED = [4, 5];

const GIVEN = [
  'Anna',
  'Ben',
  'Chloé',
  'David',
  'Elena',
  'Farid',
  'Grace',
  'Hugo',
  'Inès',
  'Jonas',
  'Keiko',
  'Liam',
  'Maya',
  'Noah',
  'Olga',
  'Paul',
  'Quinn',
  'Rosa',
  'Sami',
  'Tara',
];
const FAMILY = ['Tremblay', 'Nguyen', 'Singh', 'Lavoie', 'Martin', 'Haddad', 'Kowalski', 'Silva', 'Bouchard', 'Park'];

/** Two hundred different people. */
export const CLIENTS = FAMILY.flatMap((family) => GIVEN.map((given) => `${given} ${family}`));

const ALL = { usePackages: true, bookAndManageAppointments: true, completeIntakeForms: true, receiveNotificationCopies: true };

/** In each family Anna and Ben share their packages, and Chloé, their child, uses Anna's: clients by their place in the list above. */
export const LINKS = FAMILY.map((_, n) => n * GIVEN.length).flatMap((anna) => [
  { client: anna, other: anna + 1, relationship: 'partner' as const, gives: { usePackages: true }, gets: { usePackages: true } },
  { client: anna, other: anna + 2, relationship: 'child' as const, gives: { usePackages: true }, gets: ALL },
]);
