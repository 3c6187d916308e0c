// two terminal clients → [round trip] → what differed: alice and bob, by a script that is checked

import { textFrame } from "./adopt-websocket.ts";
import type { ChatEvent } from "./protocol.ts";
import { type ChatClient, joinChat } from "./terminal-client.ts";
import type { Trace } from "./trace.ts";

const AGREEMENT = "chat.v1 permessage-deflate";

export interface RoundTripOptions {
  /** Told of every event, as it is received. */
  readonly tell?: ((listener: string, event: ChatEvent) => void) | undefined;
  readonly trace?: ((name: string) => Trace | undefined) | undefined;
  /** For all of it together. Default 10,000. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Plays the script against the chat at `url`, in an empty room. The first difference ends it: what
 * comes behind that one only follows from it.
 *
 * @returns What differed from the script, in words; undefined if all went as it should.
 */
export async function roundTrip(
  url: URL,
  options: RoundTripOptions = {},
): Promise<string | undefined> {
  const { timeoutMs = 10_000 } = options;
  const script = new Script(options);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((settle) => {
    const tell = (): void =>
      settle(`nothing more came within ${timeoutMs} ms; next was ${script.next}`);
    timer = setTimeout(tell, timeoutMs);
  });
  const difference = await Promise.race([script.play(url), late]);
  clearTimeout(timer);
  script.abandon();
  return difference;
}

/** Something came that is not in the script. */
class Difference extends Error {}

class Script {
  /** What it waits for. */
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
    await this.#hears("alice", { type: "joined", name: "bob" });

    alice.say("hello bob");
    await this.#bothHear({ type: "message", from: "alice", text: "hello bob" });
    bob.say("hello alice, nice to read you");
    await this.#bothHear({ type: "message", from: "bob", text: "hello alice, nice to read you" });

    await this.#leaves("bob");
    await this.#hears("alice", { type: "left", name: "bob" });
    await this.#leaves("alice");
  }

  // That the accept value, the subprotocol and the extensions are right is verified by joining.
  async #join(url: URL, name: string, people: string[]): Promise<ChatClient> {
    this.next = `the answer to ${name}'s handshake`;
    const client = await joinChat(url, { name, trace: this.#options.trace?.(name) });
    this.#clients.set(name, client);
    const { protocol, extensions } = client.agreement;
    this.#expect(`${name}'s agreement`, `${protocol} ${Object.keys(extensions)}`, AGREEMENT);
    const welcome: ChatEvent = { type: "welcome", you: name, people };
    await this.#hears(name, welcome);
    // The welcome left in one write with the 101, so it must have come in readBuf.
    const frame = textFrame(JSON.stringify(welcome)).toString("latin1");
    this.#expect(`${name}'s readBuf`, Buffer.from(client.readBuf).toString("latin1"), frame);
    return client;
  }

  async #bothHear(event: ChatEvent): Promise<void> {
    await this.#hears("alice", event);
    await this.#hears("bob", event);
  }

  async #hears(name: string, expected: ChatEvent): Promise<void> {
    this.next = `${name} to hear ${JSON.stringify(expected)}`;
    const event = await this.#clients.get(name)?.next();
    if (event !== undefined) this.#options.tell?.(name, event);
    this.#expect(
      `what ${name} heard`,
      JSON.stringify(event) ?? "the end",
      JSON.stringify(expected),
    );
  }

  async #leaves(name: string): Promise<void> {
    this.next = `the answer to ${name}'s goodbye`;
    const end = await this.#clients.get(name)?.leave();
    this.#expect(`the code of ${name}'s end`, String(end?.code), "1000");
    const more = await this.#clients.get(name)?.next();
    this.#expect(`what ${name} heard at last`, JSON.stringify(more) ?? "the end", "the end");
  }

  #expect(what: string, came: string, expected: string): void {
    if (came === expected) return;
    throw new Difference(
      `${what}: expected ${JSON.stringify(expected)}, came ${JSON.stringify(came)}`,
    );
  }

  /** Whoever is still there goes. */
  abandon(): void {
    for (const client of this.#clients.values()) void client.leave();
  }
}
