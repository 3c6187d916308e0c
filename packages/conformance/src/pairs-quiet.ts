/** What nobody handled, since {@link watchQuiet}. */
export interface Quiet {
  readonly noise: unknown[];
  /** Lets everything that waits in this process run, and gives what nobody handled by then. */
  settled(): Promise<readonly unknown[]>;
  stop(): void;
}

/** Collects unhandled rejections and uncaught exceptions. The process's own handling goes on. */
export function watchQuiet(): Quiet {
  const noise: unknown[] = [];
  const hear = (reason: unknown): void => void noise.push(reason);
  process.on("unhandledRejection", hear);
  process.on("uncaughtExceptionMonitor", hear);
  return {
    noise,
    async settled() {
      await turns();
      return noise;
    },
    stop() {
      process.off("unhandledRejection", hear);
      process.off("uncaughtExceptionMonitor", hear);
    },
  };
}

/** Lets the event loop go round a few times: what is in this process and on loopback arrives. */
export async function turns(count = 5): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
