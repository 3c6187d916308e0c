// two terminal clients → [round trip] → first difference: runs alice and bob through a fixed script

import { textFrame } from "./frames.ts";
import type { ChatEvent } from "./protocol.ts";
import { type ChatClient, joinChat } from "./terminal-client.ts";
import type { TracePrinter } from "./trace.ts";

const AGREEMENT = "chat.v1 permessage-deflate";

export interface RoundTripOptions {
  /** Called with every event as it is received. */
  readonly onEvent?: ((listener: string, event: ChatEvent) => void) | undefined;
  readonly trace?: ((name: string) => TracePrinter | undefined) | undefined;
  /** Milliseconds for the whole script. Default 10,000. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Runs the script against the chat at `url`, in an empty room, up to the first difference.
 *
 * @returns A description of the difference; undefined if there is none.
 */
export async function roundTrip(
  url: URL,
  options: RoundTripOptions = {},
): Promise<string | undefined> {
  const { timeoutMs = 10_000 } = options;
  const script = new Script(options);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((settle) => {
    const report = (): void => settle(`timed out after ${timeoutMs} ms waiting for ${script.next}`);
    timer = setTimeout(report, timeoutMs);
  });
  const difference = await Promise.race([script.play(url), late]);
  clearTimeout(timer);
  script.abandon();
  return difference;
}

/** An event that differs from the script. */
class Difference extends Error {}

class Script {
  /** What the script waits for. */
  next = "a connection";
  readonly #options: RoundTripOptions;
  readonly #clients = new Map<string, ChatClient>();

  constructor(options: RoundTripOptions) {
    this.#options = options;
  }

  async play(url: URL): Promise<string | undefined> {
    try {
      await this.#converse(url);
      return undefined;
    } catch (error) {
      if (error instanceof Difference) return error.message;
      return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    }
  }

  async #converse(url: URL): Promise<void> {
    const alice = await this.#join(url, "alice", []);
    const bob = await this.#join(url, "bob", ["alice"]);
    await this.#expectEvent("alice", { type: "joined", name: "bob" });

    alice.say("hello bob");
    await this.#expectBoth({ type: "message", from: "alice", text: "hello bob" });
    bob.say("hello alice, nice to read you");
    await this.#expectBoth({ type: "message", from: "bob", text: "hello alice, nice to read you" });

    await this.#leave("bob");
    await this.#expectEvent("alice", { type: "left", name: "bob" });
    await this.#leave("alice");
  }

  // joinChat verifies the accept value, the subprotocol and the extensions.
  async #join(url: URL, name: string, people: string[]): Promise<ChatClient> {
    this.next = `the answer to ${name}'s handshake`;
    const client = await joinChat(url, { name, trace: this.#options.trace?.(name) });
    this.#clients.set(name, client);
    const { protocol, extensions } = client.agreement;
    this.#expect(
      `${name}'s agreement`,
      `${protocol} ${extensions.map((one) => one.name)}`,
      AGREEMENT,
    );
    const welcome: ChatEvent = { type: "welcome", you: name, people };
    await this.#expectEvent(name, welcome);
    // The server wrote the welcome together with the 101, so it must be in readBuf.
    const frame = textFrame(JSON.stringify(welcome)).toString("latin1");
    this.#expect(`${name}'s readBuf`, Buffer.from(client.readBuf).toString("latin1"), frame);
    return client;
  }

  async #expectBoth(event: ChatEvent): Promise<void> {
    await this.#expectEvent("alice", event);
    await this.#expectEvent("bob", event);
  }

  async #expectEvent(name: string, expected: ChatEvent): Promise<void> {
    this.next = `${name} to receive ${JSON.stringify(expected)}`;
    const event = await this.#clients.get(name)?.next();
    if (event !== undefined) this.#options.onEvent?.(name, event);
    this.#expect(
      `what ${name} received`,
      JSON.stringify(event) ?? "the end",
      JSON.stringify(expected),
    );
  }

  async #leave(name: string): Promise<void> {
    this.next = `the answer to ${name}'s goodbye`;
    const end = await this.#clients.get(name)?.leave();
    this.#expect(`the code of ${name}'s end`, String(end?.code), "1000");
    const more = await this.#clients.get(name)?.next();
    this.#expect(`what ${name} received last`, JSON.stringify(more) ?? "the end", "the end");
  }

  #expect(what: string, got: string, expected: string): void {
    if (got === expected) return;
    throw new Difference(
      `${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`,
    );
  }

  /** Disconnects the clients that are still connected. */
  abandon(): void {
    for (const client of this.#clients.values()) void client.leave();
  }
}
