// chat events → [log] → page: messages with their days, times and links

import { link, make } from "./dom.ts";
import { pieces } from "./links.ts";

/** Older entries are removed. */
const MAX_ENTRIES = 1000;
/** Messages of one person within this time need one line about who spoke. */
const TOGETHER_MS = 5 * 60_000;
/** A longer message is folded. */
const MAX_LENGTH = 800;
const MAX_LINES = 10;

const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });
const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });

export class Log {
  readonly #element: HTMLElement;
  readonly #newest: HTMLButtonElement;
  readonly #pending: HTMLElement[] = [];
  #once: Element | undefined;
  #day = "";
  #last: { readonly from: string; readonly at: number } | undefined;

  constructor(element: HTMLElement, newest: HTMLButtonElement) {
    this.#element = element;
    this.#newest = newest;
    // So that the keyboard can scroll it.
    element.tabIndex = 0;
    newest.onclick = () => this.#toEnd();
    element.onscroll = () => {
      if (this.#isAtEnd) newest.hidden = true;
    };
  }

  note(text: string, isBad = false): void {
    this.#last = undefined;
    this.#add(make("p", isBad ? "note bad" : "note", text));
  }

  /** A note that replaces the one before, if that says the same. */
  noteOnce(text: string): void {
    if (this.#once?.isConnected === true && this.#once.textContent === text) return;
    this.note(text, true);
    this.#once = this.#element.lastElementChild ?? undefined;
  }

  say(from: string, text: string, isMine: boolean): void {
    const now = new Date();
    this.#showDay(now);
    const isAgain = this.#last?.from === from && now.getTime() - this.#last.at < TOGETHER_MS;
    this.#last = { from, at: now.getTime() };
    const entry = message(from, text, now);
    entry.classList.toggle("mine", isMine);
    entry.classList.toggle("again", isAgain);
    this.#add(entry);
  }

  /** Shows what is not sent yet, after everything else. */
  pending(from: string, texts: readonly string[]): void {
    for (const entry of this.#pending.splice(0)) entry.remove();
    for (const text of texts) {
      const entry = message(from, text, undefined);
      entry.classList.add("mine", "pending");
      this.#pending.push(entry);
    }
    this.#element.append(...this.#pending);
    if (texts.length > 0) this.#toEnd();
  }

  #showDay(now: Date): void {
    const day = DAY.format(now);
    if (day === this.#day) return;
    this.#day = day;
    this.#last = undefined;
    this.#add(make("p", "day", day));
  }

  #add(entry: HTMLElement): void {
    const follows = this.#isAtEnd;
    const before = this.#pending[0];
    if (before === undefined) this.#element.append(entry);
    else before.before(entry);
    while (this.#element.childElementCount > MAX_ENTRIES) this.#element.firstElementChild?.remove();
    if (follows) this.#toEnd();
    else this.#newest.hidden = false;
  }

  get #isAtEnd(): boolean {
    const { scrollHeight, scrollTop, clientHeight } = this.#element;
    return scrollHeight - scrollTop - clientHeight < 80;
  }

  #toEnd(): void {
    this.#element.scrollTop = this.#element.scrollHeight;
    this.#newest.hidden = true;
  }
}

function message(from: string, text: string, at: Date | undefined): HTMLElement {
  const who = make("b", "", make("bdi", "", from));
  const header = make("header", "", who);
  if (at !== undefined) {
    const time = make("time", "", TIME.format(at));
    time.dateTime = at.toISOString();
    header.append(time);
  }
  const body = make("div");
  body.dir = "auto";
  body.append(
    ...pieces(text).map((piece) =>
      piece.url === undefined ? piece.text : link(piece.url, piece.text),
    ),
  );
  const entry = make("article", "said", header, face(from), make("div", "text", body));
  if (text.length > MAX_LENGTH || text.split("\n").length > MAX_LINES) fold(entry, body);
  return entry;
}

function fold(entry: HTMLElement, body: HTMLElement): void {
  const more = make("button", "more", "Show all");
  more.type = "button";
  more.ariaExpanded = "false";
  body.classList.add("folded");
  more.onclick = () => {
    const isFolded = body.classList.toggle("folded");
    more.ariaExpanded = String(!isFolded);
    more.textContent = isFolded ? "Show all" : "Show less";
  };
  entry.append(more);
}

/** A person's first letter, on a color made from the name. */
export function face(name: string): HTMLElement {
  const element = make("span", "face", [...name][0]?.toUpperCase() ?? "?");
  let hue = 0;
  for (const character of name) hue = (hue * 31 + character.codePointAt(0)!) % 360;
  element.style.setProperty("--hue", String(hue));
  element.ariaHidden = "true";
  return element;
}
