// exchange → [claim] → connection: an io that is promised to the service, once the request is complete

import type { UpgradeError } from "@upgrade/core";
import { Deferred, type Driver, type Parts, takeParts } from "@upgrade/core/io";
import type { Acceptance } from "./acceptance.ts";

/**
 * An accepted proposal or a takeover. It waits for the end of the request's body, which is HTTP to
 * its last byte (L5).
 */
export class Claim<IO> {
  readonly #kind: "switchTo" | "takeOver" | "response";
  readonly #driver: Driver;
  readonly #io: IO;
  readonly #acceptance: Acceptance | undefined;
  // None for a response that accepts: it leaves the parts to the connection.
  readonly #parts: Deferred<Parts<IO>> | undefined;

  constructor(
    kind: "switchTo" | "takeOver" | "response",
    driver: Driver,
    io: IO,
    acceptance?: Acceptance,
  ) {
    this.#kind = kind;
    this.#driver = driver;
    this.#io = io;
    this.#acceptance = acceptance;
    this.#parts = kind === "response" ? undefined : new Deferred();
  }

  /** The parts, when they are taken. Only for a `switchTo` or a `takeOver`. */
  get parts(): Promise<Parts<IO>> {
    return this.#parts!.promise;
  }

  /** The request is complete: sends the acceptance, if any, and ends HTTP. */
  carryOut(): void {
    const driver = this.#driver;
    if (!driver.isLive) return;
    if (this.#acceptance === undefined) {
      driver.taker = this;
      driver.finish({ kind: "taken-apart", because: "takeOver()" });
      return;
    }
    if (this.#parts !== undefined) driver.taker = this;
    this.#accept(this.#acceptance);
    driver.reading.advance();
  }

  #accept({ head, firstBytes }: Acceptance): void {
    const { writing } = this.#driver;
    this.#driver.send(head);
    this.#driver.switched = this.#driver.http.switched;
    if (typeof firstBytes === "string") writing.text(firstBytes);
    else if (firstBytes !== undefined) writing.bytes(firstBytes);
  }

  /** Takes the parts that were promised. */
  take(): void {
    const driver = this.#driver;
    this.#parts!.resolve(takeParts(driver, this.#io, this.#kind, driver.switched));
  }

  /** The parts will not come. */
  fail(error: UpgradeError): void {
    this.#parts?.reject(error);
  }
}
