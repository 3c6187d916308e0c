// driver → [moves] → driver: what ends a connection, the phase it leads to, and what must be done

import type { Phase } from "./phases.ts";

/** What moves a connection from one phase to the next. */
export const CAUSES = [
  // HTTP has ended as it should
  "ended",
  // no poll without shutdown and no promised parts need the io
  "unwanted",
  // both heads of a switch were exchanged
  "switched",
  // the transport has accepted all our bytes, and no read of ours is pending
  "quiet",
  // HTTP has failed, and the role has sent an error response
  "answered",
  // HTTP or the transport has failed
  "failed",
  // abort() was called
  "aborted",
  // the parts of a switched connection were not taken in time
  "unclaimed",
  // the parts are taken
  "taken",
] as const;

export type Cause = (typeof CAUSES)[number];

/** What the driver does on a move, in the order of the row. */
export const EFFECTS = [
  // only the deadlines of writes and close() still run
  "keep-last-deadlines",
  // no deadline runs any longer
  "stop-deadlines",
  // the parts must be taken within claimMs
  "start-claim",
  // what was sent is written now
  "flush",
  // our side of the io ends after our last byte, and we wait for the peer's end
  "half-close",
  // the io is aborted, so that the peer sees a failure
  "abort-io",
  // the io is released as it is
  "release",
  // nothing more is written, and no one waits for a write
  "stop-writing",
  // an end that looked good is a failure after all
  "overrule",
  // the same, if our last bytes were not sent
  "overrule-if-cut-off",
  // the application is notified why HTTP is over
  "notify",
  // `closed` and `run()` settle
  "settle",
  // an exchange that was promised the parts can take them
  "offer-parts",
  // the role reports the error
  "report",
] as const;

export type Effect = (typeof EFFECTS)[number];

/** One row: any of these causes in any of these phases. */
export interface Move {
  readonly from: readonly Phase[];
  readonly on: readonly Cause[];
  readonly becomes: Phase;
  readonly effects: readonly Effect[];
}

/**
 * Every move of a connection as a whole. A cause without a row for the phase changes nothing.
 *
 * Effects on the io come before `notify`: when notified, the application may take the io, or end it
 * again. The docs page takes each reason from the line above its row.
 */
export const MOVES: readonly Move[] = [
  // what was sent must still be written
  { from: ["http"], on: ["ended"], becomes: "finishing", effects: ["keep-last-deadlines", "flush"] },
  // the io has no next owner
  { from: ["finishing"], on: ["unwanted"], becomes: "lingering", effects: ["half-close", "notify"] },
  // the next owner gets the io after our last byte (L3), and every byte that belongs to it (L17)
  { from: ["finishing"], on: ["quiet"], becomes: "kept-open", effects: ["stop-deadlines", "notify", "settle", "offer-parts"] },
  // the 101 must be written before the io changes hands
  { from: ["http"], on: ["switched"], becomes: "switching", effects: [] },
  // as after any other end, but an io that is not taken must not stay open forever
  { from: ["switching"], on: ["quiet"], becomes: "kept-open", effects: ["stop-deadlines", "start-claim", "notify", "offer-parts"] },
  // RFC 9112 §9.6: a peer that is still sending must not lose the answer to a reset
  { from: ["http"], on: ["answered"], becomes: "lingering", effects: ["keep-last-deadlines", "half-close", "notify", "report"] },
  // the peer must not mistake a failure for an end
  { from: ["http", "switching"], on: ["failed", "aborted"], becomes: "down", effects: ["abort-io", "stop-deadlines", "stop-writing", "settle", "notify", "report"] },
  // the same, but there is no exchange to report on
  { from: ["finishing"], on: ["failed", "aborted"], becomes: "down", effects: ["abort-io", "stop-deadlines", "stop-writing", "settle", "notify"] },
  // an io that is gone now has ended as it should, unless our last bytes were still unsent
  { from: ["lingering"], on: ["failed", "aborted"], becomes: "down", effects: ["abort-io", "overrule-if-cut-off", "stop-deadlines", "stop-writing", "settle"] },
  // the next owner did not come
  { from: ["kept-open"], on: ["unclaimed"], becomes: "down", effects: ["overrule", "abort-io", "stop-deadlines", "stop-writing", "settle", "report"] },
  // the next owner does not want it
  { from: ["kept-open"], on: ["aborted"], becomes: "down", effects: ["abort-io", "stop-deadlines", "stop-writing", "settle"] },
  // idle, or by force: everything that is still awaited settles
  { from: ["http", "switching", "finishing"], on: ["taken"], becomes: "released", effects: ["stop-deadlines", "stop-writing", "release", "notify", "settle"] },
  // the application was already notified
  { from: ["lingering", "kept-open"], on: ["taken"], becomes: "released", effects: ["stop-deadlines", "stop-writing", "release", "settle"] },
  // the io is gone, but what was read from it can still be taken
  { from: ["down"], on: ["taken"], becomes: "released", effects: [] },
];
