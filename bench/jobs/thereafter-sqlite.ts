import { sqlite } from '@thereafter/queue/sqlite';
import { contest } from './contest.ts';
import { thereafter } from './thereafter-store.ts';

contest(thereafter((store) => sqlite({ file: `${process.env['FOLDER']}/${store}.db` })));
