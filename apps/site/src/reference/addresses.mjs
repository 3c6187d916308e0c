// Where every public name is on the site, and every member that has a heading.
import { anchorOf } from "../../../../scripts/docs/links.mjs";
import { membersOf } from "./members.mjs";

export class Addresses {
  /** Links in doc comments that lead nowhere. */
  faults = [];
  #names;
  #members;
  #to;

  /** `to(path, anchor)` writes a link. */
  constructor(names, to) {
    this.#to = to;
    this.#names = new Map(names.map((name) => [name.name, name]));
    this.#members = new Map(names.map((name) => [name, headingsOf(name)]));
  }

  /** The public names among `words`. */
  among(words) {
    return words.flatMap((word) => this.#names.get(word) ?? []);
  }

  /** A link from the page of `name` to what a `{@link}` there means: a name, a member, or both. */
  link(name, target, text) {
    const isOwn = this.#members.get(name).has(target);
    const [first, second] = isOwn ? [name.name, target] : target.split(".");
    const owner = isOwn ? name : this.#names.get(first);
    if (owner !== undefined) return this.toMember(owner, second, text);
    this.faults.push(`${name.name}: no public name ${target}`);
    return text;
  }

  /** A member without a heading is in the declaration, on top of the page. */
  toMember(name, member, text) {
    const hasHeading = this.#members.get(name).get(member) === true;
    return `[${text}](${this.#to(name.path, hasHeading ? anchorOf(member) : undefined)})`;
  }
}

function headingsOf(name) {
  return new Map(membersOf(name, String).map((member) => [member.name, isExplained(member)]));
}

/** The others stand in the declaration, and their names say all. */
export function isExplained({ comment: { text, throws } }) {
  return text !== "" || throws.length > 0;
}
