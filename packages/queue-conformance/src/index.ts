import { afterEach, describe } from 'vitest';
import { describeControl } from './control.ts';
import { describeCrashes } from './crash.ts';
import { describeDrain } from './drain.ts';
import { Rig, type DriverUnderTest } from './driver-under-test.ts';
import { describeEnqueue } from './enqueue.ts';
import { describeModel } from './model.ts';
import { describeRetention } from './retention.ts';
import { describeRetries } from './retries.ts';
import { describeRunning } from './running.ts';
import { describeSchedules } from './schedules.ts';
import { describeUnique } from './unique.ts';

export { newJob, type DriverPlace, type DriverUnderTest } from './driver-under-test.ts';

/** Long enough for a machine that is busy with other things: only a test that hangs reaches it. */
const TIMEOUT_MS = 300_000;

/**
 * What every job driver must show, as tests of Vitest. What a driver does not claim to be capable of is
 * skipped.
 *
 * @example describeDriver('sqlite', { create: createPlace, capabilities: sqlite({ file }).capabilities });
 */
export function describeDriver(name: string, driver: DriverUnderTest): void {
  describe(`the job driver ${name}`, { timeout: TIMEOUT_MS }, () => {
    const rig = new Rig(driver);
    afterEach(() => rig.closeAll());
    describeEnqueue(rig);
    describeRunning(rig);
    describeRetries(rig);
    describeUnique(rig);
    describeControl(rig);
    describeSchedules(rig);
    describeModel(rig);
    describeDrain(rig);
    describeRetention(rig);
    describeCrashes(rig);
  });
}
