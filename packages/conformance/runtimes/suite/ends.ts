// What most cases begin with: our server at one end, our client at the other.

import { handshake as connectTo } from "@upgrade/client";
import type { Io, Parts } from "@upgrade/core/io";
import {
  handshake,
  type ServerOptions,
  type ServerRequest,
  type ServerResponse,
  type Service,
} from "@upgrade/server";

export const HOST = { Host: "a.test" } as const;
export const GET = { method: "GET", target: "/", headers: HOST } as const;
export const POST = { method: "POST", target: "/", headers: HOST } as const;
export const ECHO = { target: "/", protocol: "echo", headers: HOST } as const;

/**
 * Serves until the connection is over and the service has ended, and throws what the service threw.
 * Returns why the connection ended.
 */
export async function served(
  io: Io,
  service: Service<Io>,
  options: ServerOptions<Io> = {},
): Promise<string> {
  const calls: Promise<ServerResponse | undefined>[] = [];
  const noting: Service<Io> = (request) => {
    const call = (async () => (await service(request)) ?? undefined)();
    calls.push(call);
    return call;
  };
  const { connection } = await handshake(io, noting, options);
  const reason = await connection.closed;
  await Promise.all(calls);
  return reason.kind === "failed" ? `failed: ${reason.error.code}` : reason.kind;
}

/** Serves one proposal, and returns the parts. */
export async function switched(
  io: Io,
  accept: (request: ServerRequest<Io>) => Promise<Parts<Io>>,
): Promise<Parts<Io>> {
  let parts: Parts<Io> | undefined;
  await served(io, async (request) => {
    parts = await accept(request);
  });
  if (parts === undefined) throw new Error("there was no request");
  return parts;
}

/** A client, its sender, and a graceful close. */
export async function dialed(io: Io, options: Parameters<typeof connectTo>[1] = {}) {
  const { sender, connection } = await connectTo(io, options);
  return { sender, connection, close: async () => (await connection.close()).kind };
}

/** A promise, and what resolves it. */
export function latch(): { readonly opened: Promise<void>; open(): void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Resolves when the signal has aborted, with the code of its reason. */
export function aborted(signal: AbortSignal): Promise<string> {
  const code = () => (signal.reason as { code: string }).code;
  if (signal.aborted) return Promise.resolve(code());
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(code()), { once: true });
  });
}

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
