import { type ClientRequest, connect, upgrade } from "@upgrade/client";
import { LocalProtocolError } from "@upgrade/core";
import { ManualClock, memoryPair } from "@upgrade/core/io";
import type { ServerOptions, ServerRequest, ServiceResult } from "@upgrade/server";
import { dial, serve } from "./ends.ts";
import { answer, GET, head } from "./messages.ts";
import { ScriptedPeer } from "./scripted-peer.ts";
import { turns } from "./turns.ts";

/** The result of a message that must not be sent. */
export interface Refused {
  readonly code: string;
  /** What the peer got beyond the expected bytes. */
  readonly leaked: string;
}

type Io = Awaited<ReturnType<typeof memoryPair>>[0];
type Request = ServerRequest<Io>;

/** Values that the types forbid, but untyped programs may pass. */
export const untyped = <T>(value: unknown): T => value as T;

const PROPOSAL = ["Connection: Upgrade", "Upgrade: chat"];
const NEXT = head("GET /next");
const SERVED = answer("204 No Content");
const FAILED = answer("500 Internal Server Error", "Content-Length: 0");
const DECLINED = answer("403 Forbidden", "Content-Length: 0");

/** The difference between the received and the expected bytes; empty if none. */
function leaked(came: string, due: string): string {
  return came === due ? "" : `${JSON.stringify(came)}, not ${JSON.stringify(due)}`;
}

/** The code of a refusal, or a description of any other result. */
function codeOf(error: unknown): string {
  if (error instanceof LocalProtocolError) return error.code;
  return `not a LocalProtocolError: ${String(error)}`;
}

function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "it was sent",
    (error: unknown) => error,
  );
}

/** Our client refuses the request, and sends the next one normally. */
export async function requested(request: object): Promise<Refused> {
  const { peer, sender } = await dial();
  const message = untyped<ClientRequest>({ ...GET, ...request });
  let failure: unknown = "it waits for its answer";
  void failureOf(sender.sendRequest(message)).then((error) => {
    failure = error;
  });
  void sender.sendRequest({ ...GET, target: "/next" }).catch(() => {});
  await turns();
  return { code: unsent(failure), leaked: leaked(peer.unread, NEXT) };
}

/** `upgrade()` or `connect()` refuses, and aborts its io with nothing sent. */
export async function proposed(begin: (io: Io, clock: ManualClock) => Promise<unknown>) {
  const [near, far] = memoryPair();
  const peer = new ScriptedPeer(far);
  const clock = new ManualClock();
  const failure = await Promise.race([
    failureOf(begin(near, clock)),
    turns().then(() => "it waits"),
  ]);
  await turns();
  const isAborted = peer.failure !== undefined;
  return { code: unsent(failure), leaked: isAborted ? peer.unread : "the io is left open" };
}

/** Checks that a refusal reports nothing sent. */
function unsent(failure: unknown): string {
  const { sent } = Object(failure) as { sent?: string };
  const code = codeOf(failure);
  return sent === "nothing" || !(failure instanceof LocalProtocolError)
    ? code
    : `${code}, sent=${sent}`;
}

interface Played {
  readonly written: string;
  readonly reports: readonly string[];
}

async function played(
  service: (request: Request) => ServiceResult | Promise<ServiceResult>,
  asks: string,
  options: ServerOptions<Io> = {},
): Promise<Played> {
  let calls = 0;
  const { peer, reports } = await serve(
    (request) => (calls++ === 0 ? service(request) : { status: 204 }),
    { keepAliveAfterRefusal: true, ...options },
  );
  await peer.send(asks);
  await turns();
  await peer.send(NEXT);
  await turns();
  return { written: peer.unread, reports };
}

/** A service's response is refused: a 500 replaces it, and the next request is served. */
export async function answered(response: object, asks = head("GET /")): Promise<Refused> {
  const { written, reports } = await played(() => untyped<ServiceResult>(response), asks);
  const code = /^service: (.*)$/.exec(reports.join("; "))?.[1] ?? `reported: ${reports.join("; ")}`;
  return { code, leaked: leaked(written, FAILED + SERVED) };
}

/** The same for a 101. */
export function accepted(response: object): Promise<Refused> {
  return answered({ status: 101, ...response }, head("GET /", ...PROPOSAL));
}

/** `sendInterim()` throws, and the service answers normally. */
export async function interimSent(status: unknown, headers: unknown, asks = head("GET /")) {
  let failure: unknown = "it was sent";
  const { written } = await played((request) => {
    try {
      request.sendInterim(untyped<number>(status), untyped<undefined>(headers));
    } catch (error) {
      failure = error;
    }
    return { status: 204 };
  }, asks);
  return { code: codeOf(failure), leaked: leaked(written, SERVED + SERVED) };
}

/** `switchTo()` rejects, and the service may still decline. */
export async function switched(protocol: unknown, options: object = {}): Promise<Refused> {
  let failure: unknown;
  const { written } = await played(
    async (request) => {
      failure = await failureOf(request.switchTo(untyped<string>(protocol), options));
      return { status: 403 };
    },
    head("GET /", ...PROPOSAL),
  );
  return { code: codeOf(failure), leaked: leaked(written, DECLINED + SERVED) };
}

const HOST = ["Host", "a.test"] as const;
const UPGRADE = [
  ["Connection", "Upgrade"],
  ["Upgrade", "chat"],
] as const;

/** Every public entry that takes field lines, with one line of the caller's in it. */
export const FIELD_WAYS: Record<string, (line: readonly [unknown, unknown]) => Promise<Refused>> = {
  "headers of a request": (line) => requested({ headers: [HOST, line] }),
  "headers of a request before Host": (line) => requested({ headers: [line, HOST] }),
  "trailers of a request": (line) => requested({ method: "POST", body: "x", trailers: [line] }),
  "headers of upgrade()": (line) =>
    proposed((io, clock) => {
      const headers = untyped<[]>([HOST, line]);
      return upgrade(io, { target: "/", protocol: "chat", headers }, { clock });
    }),
  "headers of connect()": (line) =>
    proposed((io, clock) => connect(io, "a.test:1", { headers: untyped<[]>([line]), clock })),
  "headers of a response": (line) => answered({ status: 200, headers: [line], body: "x" }),
  "trailers of a response": (line) => answered({ status: 200, body: "x", trailers: [line] }),
  "headers of a 101": (line) => accepted({ headers: [...UPGRADE, line] }),
  "headers of sendInterim()": (line) => interimSent(103, [line]),
  "headers of switchTo()": (line) => switched("chat", { headers: [line] }),
};

/** What our client writes for a request. */
export async function writtenRequest(request: unknown): Promise<string> {
  const { peer, sender } = await dial();
  sender.sendRequest(untyped<ClientRequest>(request)).catch(() => {});
  await turns();
  return peer.unread;
}

/** What our server writes for a response. */
export async function writtenResponse(response: object, asks = head("GET /")): Promise<string> {
  const { peer } = await serve(() => untyped<ServiceResult>(response), { claimMs: 0 });
  await peer.send(asks);
  await turns();
  return peer.unread;
}
