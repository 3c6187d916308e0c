// members ↔ [room]: who is here, and who hears what

import type { ChatEvent } from "./protocol.ts";

/** Enough for a demonstration; everybody hears everybody, so the work grows with the square. */
export const MAX_PEOPLE = 100;

/** Somebody in the room. */
export interface Person {
  readonly name: string;
  /** Tells this one what happened. Called while somebody else acts, so it must not throw. */
  readonly tell: (event: ChatEvent) => void;
}

export class Room {
  // By the name in lower case: Alice and alice would be one person to a reader.
  readonly #people = new Map<string, Person>();

  get names(): string[] {
    return [...this.#people.values()].map((person) => person.name);
  }

  get isFull(): boolean {
    return this.#people.size >= MAX_PEOPLE;
  }

  /** Lets somebody in, under the wanted name or, if that is taken, the next free one. */
  join(wanted: string, tell: Person["tell"]): Person {
    const person = { name: this.#freeName(wanted), tell };
    this.#tellAll({ type: "joined", name: person.name });
    this.#people.set(person.name.toLowerCase(), person);
    return person;
  }

  /** Everybody hears it, the speaker too: what comes back has its place in the conversation. */
  say(person: Person, text: string): void {
    if (this.#has(person)) this.#tellAll({ type: "message", from: person.name, text });
  }

  leave(person: Person): void {
    if (!this.#has(person)) return;
    this.#people.delete(person.name.toLowerCase());
    this.#tellAll({ type: "left", name: person.name });
  }

  #has(person: Person): boolean {
    return this.#people.get(person.name.toLowerCase()) === person;
  }

  #freeName(wanted: string): string {
    let name = wanted;
    for (let n = 2; this.#people.has(name.toLowerCase()); n++) name = `${wanted}-${n}`;
    return name;
  }

  #tellAll(event: ChatEvent): void {
    for (const person of this.#people.values()) person.tell(event);
  }
}
