// What the types of a platform add, DOM's or Node's: streams, signals, requests and responses.
// Compiled against the sources and against the published declarations.
import { type Body, type Connection, handshake, type Parts, upgrade } from "@upgrade/client";
import { fetchService, type Service } from "@upgrade/server";

interface Pair {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

export async function onPair(pair: Pair, signal: AbortSignal): Promise<void> {
  const { connection } = await handshake(pair);
  const on: Same<typeof connection, Connection<Pair>> = true;
  const result = await upgrade(pair, { target: "/", protocol: "echo" }, { signal });
  if (!result.switched) return;
  const out: Same<typeof result.io, Pair> = true;
  const parts: Same<typeof result.parts, Parts<Pair>> = true;
  void [on, out, parts];
}

export async function streamed(body: Body): Promise<Uint8Array | undefined> {
  const stream = body.stream();
  const readable: Same<typeof stream, ReadableStream<Uint8Array>> = true;
  void readable;
  const { value } = await stream.getReader().read();
  return value;
}

export const service: Service<Pair> = async (request) => {
  const signal: AbortSignal = request.signal;
  return { status: signal.aborted ? 499 : 200, body: request.body.stream() };
};

export const fetching: Service<Pair> = fetchService(async (request) => {
  const asked: Same<typeof request, Request> = true;
  void asked;
  return new Response(await request.text(), { status: 200 });
});
// @ts-expect-error: a handler answers with a Response
export const answering: Service<Pair> = fetchService(() => ({ status: 200 }));
