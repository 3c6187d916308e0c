// WebSocket ↔ [member] ↔ room: one connection's place in the room

import type { Allowance } from "./allowance.ts";
import type { ChatSocket } from "./frames.ts";
import { type ChatEvent, CLOSINGS, cleanName, readAction } from "./protocol.ts";
import type { Person, Room } from "./room.ts";

/** A member with more unread bytes than this is dropped. */
const MAX_BACKLOG_BYTES = 8 * 1024 * 1024;

/** The parts of a WebSocket that a member uses. */
export type MemberSocket = Pick<
  ChatSocket,
  "OPEN" | "readyState" | "bufferedAmount" | "sendText" | "close" | "terminate"
> & { on(event: "message", listener: (message: unknown, isBinary: boolean) => void): unknown };

export class Member {
  readonly #room: Room;
  readonly #allowance: Allowance;
  readonly #onNamed: (name: string) => void;
  #person: Person | undefined;
  #socket: MemberSocket | undefined;
  // Events between the welcome and the switch, sent once the socket is attached.
  #mailbox: ChatEvent[] = [];

  /** @param onNamed Called with the name as soon as it is known. */
  constructor(
    room: Room,
    name: string | undefined,
    allowance: Allowance,
    onNamed: (name: string) => void,
  ) {
    this.#room = room;
    this.#allowance = allowance;
    this.#onNamed = onNamed;
    if (name !== undefined) this.#join(name);
  }

  get name(): string | undefined {
    return this.#person?.name;
  }

  /** The first message: the member's name, and who else is in the room. */
  get welcome(): ChatEvent {
    const you = this.name ?? null;
    return { type: "welcome", you, people: this.#room.names.filter((name) => name !== you) };
  }

  /** Attaches the WebSocket once the connection has switched. */
  attach(socket: MemberSocket): void {
    this.#socket = socket;
    socket.on("message", (message, isBinary) => {
      // Messages that were read together with the one that was wrong.
      if (socket.readyState !== socket.OPEN) return;
      if (isBinary) this.#end("binary");
      else if (!this.#allowance.take()) this.#end("flood");
      else this.#act(String(message));
    });
    for (const event of this.#mailbox.splice(0)) this.#send(event);
  }

  leave(): void {
    if (this.#person !== undefined) this.#room.leave(this.#person);
    this.#person = undefined;
  }

  #join(name: string): void {
    this.#person = this.#room.join(name, (event) => this.#send(event));
    this.#onNamed(this.#person.name);
  }

  #act(json: string): void {
    const action = readAction(json);
    if ("wrong" in action) this.#end("malformed");
    else if (action.type === "ping") this.#send({ type: "pong" });
    else if (action.type === "hello") this.#hello(action.name);
    else if (this.#person === undefined) this.#refuse("say hello first");
    else this.#room.say(this.#person, action.text);
  }

  #hello(wanted: string): void {
    const name = cleanName(wanted);
    if (this.#person !== undefined) this.#refuse(`you are ${this.#person.name} already`);
    else if (name === undefined) this.#refuse("that is not a name");
    else if (this.#room.isFull) this.#refuse("the room is full");
    else {
      this.#join(name);
      this.#send(this.welcome);
    }
  }

  #refuse(reason: string): void {
    this.#send({ type: "error", reason });
  }

  #end(why: "binary" | "flood" | "malformed"): void {
    const { code, reason } = CLOSINGS[why];
    this.#socket?.close(code, reason);
  }

  #send(event: ChatEvent): void {
    const socket = this.#socket;
    if (socket === undefined) this.#mailbox.push(event);
    else if (socket.bufferedAmount > MAX_BACKLOG_BYTES) socket.terminate();
    else if (socket.readyState === socket.OPEN) socket.sendText(JSON.stringify(event));
  }
}
