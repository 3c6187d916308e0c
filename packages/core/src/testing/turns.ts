// transport suite ← [turns] ← platform: waiting without sleeping

interface Platform {
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

const platform = globalThis as unknown as Platform;

/** Waits for `count` turns of the event loop. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await new Promise<void>((resolve) => void platform.setTimeout(resolve, 0));
  }
}

/** Waits for `count` microtasks. */
export async function microtasks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await undefined;
}

/** The promise's result, or an error that says what was not settled in time. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: unknown;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`${what}: not settled within ${ms} ms`);
    timer = platform.setTimeout(() => reject(error), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    platform.clearTimeout(timer);
  }
}
