import type { Page } from './layout.js';

/** What a page comes to: itself, or another place. */
export type PageAnswer = { status: number; page: Page } | { seeOther: string };
