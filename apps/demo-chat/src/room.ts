// members ↔ [room]: who is present, and who receives what

import type { ChatEvent } from "./protocol.ts";

/** Every message goes to everyone, so the work grows quadratically. */
export const MAX_PEOPLE = 200;

/** A person in the room. */
export interface Person {
  readonly name: string;
  /** Sends an event to this person. Called during someone else's action, so it must not throw. */
  readonly send: (event: ChatEvent) => void;
}

export class Room {
  // Keyed by lower-case name: readers would take Alice and alice for one person.
  readonly #people = new Map<string, Person>();

  get names(): string[] {
    return [...this.#people.values()].map((person) => person.name);
  }

  get isFull(): boolean {
    return this.#people.size >= MAX_PEOPLE;
  }

  /** Adds a person under the wanted name or, if it is taken, the next free one. */
  join(wanted: string, send: Person["send"]): Person {
    const person = { name: this.#freeName(wanted), send };
    this.#broadcast({ type: "joined", name: person.name });
    this.#people.set(person.name.toLowerCase(), person);
    return person;
  }

  /** Sends a message to everyone, including the sender, so that all see the same order. */
  say(person: Person, text: string): void {
    if (this.#has(person)) this.#broadcast({ type: "message", from: person.name, text });
  }

  leave(person: Person): void {
    if (!this.#has(person)) return;
    this.#people.delete(person.name.toLowerCase());
    this.#broadcast({ type: "left", name: person.name });
  }

  #has(person: Person): boolean {
    return this.#people.get(person.name.toLowerCase()) === person;
  }

  #freeName(wanted: string): string {
    let name = wanted;
    for (let n = 2; this.#people.has(name.toLowerCase()); n++) name = `${wanted}-${n}`;
    return name;
  }

  #broadcast(event: ChatEvent): void {
    for (const person of this.#people.values()) person.send(event);
  }
}
