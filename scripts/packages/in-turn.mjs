// Runs jobs side by side, as many as there are processors.
import { availableParallelism } from "node:os";

/** Calls `run` with each job; the first failure is thrown, and no job starts after it. */
export async function inTurn(jobs, run) {
  const waiting = [...jobs];
  async function work() {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      try {
        await run(job);
      } catch (error) {
        waiting.length = 0;
        throw error;
      }
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work));
}
