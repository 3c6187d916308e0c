// facts → [control] → facts: further attempts, to tell two causes apart

import type { LookupAddress } from "node:dns";
import type net from "node:net";
import { handshake } from "@upgrade/client";
import type { ControlFacts, ExchangeFacts, TlsFacts } from "../facts.ts";
import { answerIn } from "./answer.ts";
import { exchange } from "./exchange.ts";
import type { Plan } from "./plan.ts";
import { dial, secure } from "./reaching.ts";
import { Tap } from "./tap.ts";
import { within } from "./within.ts";

/** Statuses that do not say whether the server has seen the proposal. */
const UNCLEAR = new Set([200, 204, 400, 404, 426]);

/** After a TLS handshake that failed, or a request without TLS that was not answered in HTTP. */
export async function speaks(
  alpn: "h2" | "http/1.1",
  addresses: readonly LookupAddress[] | undefined,
  plan: Plan,
): Promise<ControlFacts> {
  const [, socket] = await dial(plan, addresses, plan);
  if (socket === undefined) return {};
  const step = { host: plan.host, to: "", alpn: [alpn] };
  const [facts, secured] = await secure(socket, step, plan);
  secured?.destroy();
  const speaksTls = secured !== undefined;
  return alpn === "h2" ? { speaksH2: facts.alpn === "h2" } : { speaksTls };
}

/** Whether a failed handshake may be for want of HTTP/1.1. */
export function mayBeH2({ failure }: TlsFacts): boolean {
  return /NO_APPLICATION_PROTOCOL|no.application.protocol/i.test(
    `${failure?.code} ${failure?.message}`,
  );
}

/** Whether the answer leaves open that the proposal was removed on the way. */
export function isUnclear({ answer, isSwitched }: ExchangeFacts, { method }: Plan): boolean {
  return !isSwitched && method === "GET" && UNCLEAR.has(answer?.status ?? 0);
}

/** The same proposal without its body, on a connection that is open. */
export async function withoutBody(socket: net.Socket, plan: Plan): Promise<ControlFacts> {
  const [again, switched] = await exchange(socket, { ...plan, body: undefined });
  switched?.io.destroy();
  return { withoutBody: again.answer?.status };
}

/** The same request without a proposal, on a connection that is open. */
export async function withoutProposal(
  socket: net.Socket,
  { answer }: ExchangeFacts,
  plan: Plan,
): Promise<ControlFacts> {
  const { clock, timeoutMs, method, target, authority, headers, showsSecrets } = plan;
  const began = clock.now();
  const tap = new Tap(socket, clock);
  const asked = async (): Promise<void> => {
    const { sender } = await handshake(tap, { clock });
    const request = { method, target, headers: [["Host", authority] as const, ...headers] };
    const { body } = await sender.sendRequest(request);
    await body.bytes();
  };
  // Without an answer, nothing is known.
  await within(timeoutMs, clock, asked()).catch(() => {});
  tap.destroy();
  const again = answerIn(tap.received, began, showsSecrets);
  if (again?.status === undefined) return {};
  const isSame = again.status === answer?.status && again.body === answer.body;
  return { withoutProposal: { status: again.status, isSame } };
}
