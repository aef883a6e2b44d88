import { main } from './cli.js';
import { runProcess } from './host.js';

await runProcess(main);
