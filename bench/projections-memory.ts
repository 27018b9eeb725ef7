import type { Projection } from '../libs/projection-engine/define-projection.js';
import { packageList } from '../projections/package-list.projection.js';
import { foldAndWrite } from './fold-write.js';
import { sales } from './package-history.js';

// Folds so many new rows of the list of packages, in a process of its own, and says what it had in memory at most, in MiB.

const [databaseUrl, rows] = process.argv.slice(2);
await foldAndWrite(databaseUrl!, [packageList] as Projection[], sales(Number(rows)));
process.send!(Math.round(process.resourceUsage().maxRSS / 1024));
process.disconnect();
