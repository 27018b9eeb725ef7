import type { DemoMessage } from './demo.js';

// Loads the demo business and then waits to be stopped. A process of its own: what loading takes is given back when it ends.

process.once('disconnect', () => process.exit(1));

const tell = (message: DemoMessage) => process.send?.(message);
const { loadDemo } = await import('./demo/load-demo.js');
const info = await loadDemo({ env: process.env, onProgress: (done, total, what) => void tell({ progress: { done, total, what } }) });
tell({ ready: info });
