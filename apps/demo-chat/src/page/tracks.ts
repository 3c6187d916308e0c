// wire events → [tracks] → panel: where both roles and the connection stand

import { PHASES, STATES } from "../wire/meanings.ts";
import type { TracedEvent } from "../wire/wire-event.ts";
import { make } from "./dom.ts";

/** Steps that light up as the trace names them. */
class Track {
  readonly element: HTMLElement;
  readonly #meanings: Readonly<Record<string, string>>;
  readonly #steps = new Map<string, HTMLLIElement>();
  readonly #says = make("p");

  constructor(kind: string, title: string, meanings: Readonly<Record<string, string>>) {
    this.#meanings = meanings;
    for (const name of Object.keys(meanings)) this.#steps.set(name, make("li", "", name));
    this.element = make("div", `track ${kind}`, make("b", "", title));
    this.element.append(make("ol", "", ...this.#steps.values()), this.#says);
  }

  move(to: string): void {
    for (const [name, step] of this.#steps) {
      if (name !== to) step.removeAttribute("aria-current");
      else {
        step.classList.add("was");
        step.setAttribute("aria-current", "step");
      }
    }
    this.#says.textContent = this.#meanings[to] ?? "";
  }
}

/** The states of both roles and the phase of the connection, as the trace reports them. */
export class Tracks {
  readonly element: HTMLElement;
  readonly #client = new Track("client", "client", STATES);
  readonly #server = new Track("server", "server", STATES);
  readonly #phase = new Track("phase", "connection", PHASES);

  constructor() {
    const where = make("div", "where");
    where.append(this.#client.element, this.#server.element, this.#phase.element);
    const title = make("h3", "", make("b", "", "Where it stands"));
    title.append(make("span", "", "by the toolkit's own state machine"));
    this.element = make("section", "card", title, where);
    this.#client.move("idle");
    this.#server.move("idle");
    this.#phase.move("http");
  }

  show(event: TracedEvent): void {
    this.#client.move(event.states.client);
    this.#server.move(event.states.server);
    if (event.type === "moved") this.#phase.move(event.to);
  }
}
