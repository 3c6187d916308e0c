// chat events → [people] → page: who is here

import { make } from "./dom.ts";
import { face } from "./log.ts";

export class People {
  readonly #list: HTMLElement;
  readonly #count: HTMLElement;
  readonly #items = new Map<string, HTMLElement>();

  constructor(list: HTMLElement, count: HTMLElement) {
    this.#list = list;
    this.#count = count;
  }

  set(you: string, others: readonly string[]): void {
    this.clear();
    this.#append(you, `${you} (you)`).classList.add("you");
    for (const name of others) this.#append(name, name);
    this.#show();
  }

  add(name: string): void {
    this.#append(name, name);
    this.#show();
  }

  remove(name: string): void {
    this.#items.get(name)?.remove();
    this.#items.delete(name);
    this.#show();
  }

  clear(): void {
    this.#items.clear();
    this.#list.replaceChildren();
    this.#show();
  }

  #append(name: string, text: string): HTMLElement {
    const item = make("li", "", face(name), make("bdi", "", text));
    this.#items.set(name, item);
    this.#list.append(item);
    return item;
  }

  #show(): void {
    const count = this.#items.size;
    const people = count === 1 ? "1 person here" : `${count} people here`;
    this.#count.textContent = count === 0 ? "Nobody here yet" : people;
  }
}
