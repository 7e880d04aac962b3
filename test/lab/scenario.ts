import { inspect } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { noteSecondTry } from './run-tests.js';

/**
 * A test of what is seen on a machine that others use too. If its processors are taken away for a moment, the workload
 * starves and does not do what its truth says; and where the last boundaries end is chance. So a scenario that fails is
 * repeated twice and must pass both times: of three, the middle one counts. The log has all of them, and the run ends with
 * the scenarios that were repeated (run-tests.ts).
 */
export function scenario(title: string, run: (t: ExecutionContext) => Promise<unknown>): void {
  test.serial(title, async (t) => {
    const first = await t.try(run);
    if (first.passed) return first.commit();
    first.discard();
    for (const error of first.errors) {
      // Assertions without a message of their own say where they are; what was thrown is the cause.
      const why = error.cause ?? (error.message || error);
      t.log(`failed once: ${typeof why === 'string' ? why : inspect(why)}`);
    }
    let passed = true;
    for (let i = 0; i < 2; i++) {
      const again = await t.try(run);
      passed &&= again.passed;
      again.commit();
    }
    if (passed) noteSecondTry(title);
  });
}
