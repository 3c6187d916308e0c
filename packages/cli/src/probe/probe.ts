// plan → [probe] → facts: every step to an upgrade, until one fails

import type { LookupAddress } from "node:dns";
import net from "node:net";
import type { Facts, NameFacts, TargetFacts } from "../facts.ts";
import { maskTarget } from "../mask.ts";
import { tryAfter } from "./after.ts";
import { isUnclear, mayBeH2, speaks, withoutBody, withoutProposal } from "./control.ts";
import { exchange, type Switched } from "./exchange.ts";
import { type Plan, placeName } from "./plan.ts";
import { dial, resolveName, secure, tunnelThrough } from "./reaching.ts";

/** Called with what is done next, for a person who waits. */
export type OnStep = (step: string) => void;

/** Facts that are still being gathered. */
type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };
export type Gathered = Mutable<Facts>;

/** No facts yet. */
export const begun = (plan: Plan): Gathered => ({ target: targetOf(plan), control: {} });

/** Tries everything up to the first step that fails, and what tells its causes apart. */
export async function probe(plan: Plan, onStep: OnStep = () => {}): Promise<Facts> {
  const facts = begun(plan);
  const switched = await propose(plan, facts, onStep);
  if (switched !== undefined) {
    onStep(plan.idleMs > 0 ? `silent for ${plan.idleMs / 1000} s` : "trying what comes after");
    facts.after = await tryAfter(switched, plan);
  }
  return facts;
}

/** A socket on which a request can be sent; what is undefined has its reason in the facts. */
export function reach(plan: Plan, facts: Gathered): Promise<net.Socket | undefined> {
  return new Way(plan, facts, () => {}).open();
}

/** Every step to the switch; what is undefined has its reason in the facts. */
export async function propose(
  plan: Plan,
  facts: Gathered,
  onStep: OnStep,
): Promise<Switched | undefined> {
  const way = new Way(plan, facts, onStep);
  const socket = await way.open();
  if (socket === undefined) return undefined;
  onStep(`asking for ${plan.protocols.join(", ")}`);
  const [exchanged, switched] = await exchange(socket, plan);
  facts.exchange = exchanged;
  if (switched !== undefined) return switched;
  if (exchanged.answer?.status === undefined) {
    await way.trySpeaking();
  } else if (plan.body !== undefined && plan.method === "GET") {
    onStep("asking again without a body");
    const again = await new Way(plan, { ...facts }, () => {}).open();
    if (again !== undefined) facts.control = await withoutBody(again, plan);
  } else if (isUnclear(exchanged, plan)) {
    onStep("asking again without an upgrade");
    // What is found on the way is known already.
    const again = await new Way(plan, { ...facts }, () => {}).open();
    if (again !== undefined) facts.control = await withoutProposal(again, exchanged, plan);
  }
  return undefined;
}

/** How a connection is reached: the steps, with their facts. */
class Way {
  readonly #plan: Plan;
  readonly #facts: Gathered;
  readonly #onStep: OnStep;
  #addresses: readonly LookupAddress[] | undefined;

  constructor(plan: Plan, facts: Gathered, onStep: OnStep) {
    this.#plan = plan;
    this.#facts = facts;
    this.#onStep = onStep;
  }

  /** A socket on which the request can be sent; undefined if a step failed. */
  async open(): Promise<net.Socket | undefined> {
    const { path, proxy } = this.#plan;
    const host = proxy?.place.host ?? this.#plan.host;
    if (path === undefined) {
      const resolved = await this.#resolve(host);
      if (resolved === undefined) return undefined;
    }
    return this.#reach();
  }

  async #resolve(host: string): Promise<readonly LookupAddress[] | undefined> {
    const family = net.isIP(host);
    if (family !== 0) {
      this.#addresses = [{ address: host, family }];
      return this.#addresses;
    }
    this.#onStep(`resolving ${host}`);
    let name: NameFacts;
    [name, this.#addresses] = await resolveName(host, this.#plan);
    this.#facts.name = name;
    return this.#addresses;
  }

  async #reach(): Promise<net.Socket | undefined> {
    const plan = this.#plan;
    const { proxy, isInsecure } = plan;
    const first = proxy?.place ?? plan;
    this.#onStep(`connecting to ${placeName(first)}`);
    const [dialed, socket] = await dial(first, this.#addresses, plan);
    this.#facts.dial = dialed;
    const reached = proxy === undefined ? socket : socket && (await this.#tunnel(socket));
    if (reached === undefined || !plan.isSecure) return reached;
    this.#onStep(`TLS with ${placeName(plan)}`);
    const step = { host: plan.host, to: placeName(plan), alpn: ["http/1.1"] };
    const [tlsFacts, secured] = await secure(reached, step, plan);
    this.#facts.tls = tlsFacts;
    if (mayBeH2(tlsFacts) && proxy === undefined) {
      this.#facts.control = await speaks("h2", this.#addresses, plan);
    }
    if (secured === undefined || tlsFacts.distrust === undefined || isInsecure) return secured;
    secured.destroy();
    return undefined;
  }

  async #tunnel(socket: net.Socket): Promise<net.Socket | undefined> {
    const plan = this.#plan;
    const { place } = plan.proxy!;
    let reached: net.Socket | undefined = socket;
    if (place.isSecure) {
      const step = { host: place.host, to: placeName(place), alpn: ["http/1.1"] };
      const [proxyTls, secured] = await secure(socket, step, plan);
      this.#facts.proxyTls = proxyTls;
      reached = proxyTls.distrust === undefined || plan.isInsecure ? secured : undefined;
      if (reached === undefined) secured?.destroy();
    }
    if (reached === undefined) return undefined;
    this.#onStep(`asking the proxy ${placeName(place)}`);
    const [proxy, tunnel] = await tunnelThrough(reached, plan);
    this.#facts.proxy = proxy;
    return tunnel;
  }

  /** No answer in HTTP without TLS: is it a port for TLS? */
  async trySpeaking(): Promise<void> {
    const { isSecure, proxy, path } = this.#plan;
    if (isSecure || proxy !== undefined || path !== undefined) return;
    this.#onStep("trying TLS");
    this.#facts.control = await speaks("http/1.1", this.#addresses, this.#plan);
  }
}

function targetOf(plan: Plan): TargetFacts {
  const { url, showsSecrets, host, port, path, isSecure, method } = plan;
  const text = showsSecrets ? url.href : maskTarget(url.href);
  const { protocols, subprotocols, timeoutMs } = plan;
  return { url: text, host, port, path, isSecure, method, protocols, subprotocols, timeoutMs };
}
