/** Unhandled errors since {@link watchUnhandled}. */
export interface Unhandled {
  readonly errors: unknown[];
  /** Runs everything pending in this process, and returns the errors unhandled by then. */
  settled(): Promise<readonly unknown[]>;
  stop(): void;
}

/** Collects unhandled rejections and uncaught exceptions, without replacing the process's own handling. */
export function watchUnhandled(): Unhandled {
  const errors: unknown[] = [];
  const collect = (reason: unknown): void => void errors.push(reason);
  process.on("unhandledRejection", collect);
  process.on("uncaughtExceptionMonitor", collect);
  return {
    errors,
    async settled() {
      await turns();
      return errors;
    },
    stop() {
      process.off("unhandledRejection", collect);
      process.off("uncaughtExceptionMonitor", collect);
    },
  };
}

/** Runs a few turns of the event loop, so that bytes in this process and on loopback arrive. */
export async function turns(count = 5): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
