// driver → [moves] → driver: what ends a connection, where that leads, and what has to be done

import type { Phase } from "./phases.ts";

/** What moves a connection from phase to phase. */
export const CAUSES = [
  // HTTP has ended well
  "ended",
  // neither a poll without shutdown nor a promise of the parts waits for the io
  "unwanted",
  // both heads of a switch have passed
  "switched",
  // all of ours was accepted by the transport, and no read of ours is pending
  "quiet",
  // HTTP has failed, and the role has sent an answer that says so
  "answered",
  // HTTP or the transport has failed
  "failed",
  // abort() was called
  "aborted",
  // the parts of a switched connection were not taken in time
  "unclaimed",
  // somebody takes the parts
  "taken",
] as const;

export type Cause = (typeof CAUSES)[number];

/** What the driver does on the way, in the order of the row. */
export const EFFECTS = [
  // only a write and close() still have a deadline
  "keep-last-deadlines",
  // none of our deadlines runs any more
  "stop-deadlines",
  // the parts have to be taken within claimMs
  "start-claim",
  // what was sent leaves now
  "flush",
  // our side of the io ends after our last byte, and the peer's end is awaited
  "half-close",
  // the io is given up, so that the peer sees a failure
  "abort-io",
  // the io is let go of, as it is
  "let-go",
  // nothing more is written, and nothing waits for it
  "stop-writing",
  // an end that was good is a failure after all
  "overrule",
  // the same, if our last bytes did not leave
  "overrule-if-cut-off",
  // the application learns why HTTP is over
  "notify",
  // `closed` and `run()` settle
  "settle",
  // an exchange that was promised the parts takes them
  "offer-parts",
  // the role reports the error
  "report",
] as const;

export type Effect = (typeof EFFECTS)[number];

/** One row: in any of these phases, any of these causes. */
export interface Move {
  readonly from: readonly Phase[];
  readonly on: readonly Cause[];
  readonly becomes: Phase;
  readonly effects: readonly Effect[];
}

/**
 * Every move of a connection as a whole. A cause that a phase has no row for changes nothing.
 *
 * What has to be done to the io comes before `notify`: the application may take the io when it is
 * notified, or end it again. The docs page takes each reason from the line above its row.
 */
export const MOVES: readonly Move[] = [
  // what was sent still has to leave
  { from: ["http"], on: ["ended"], becomes: "finishing", effects: ["keep-last-deadlines", "flush"] },
  // the io has no next owner
  { from: ["finishing"], on: ["unwanted"], becomes: "lingering", effects: ["half-close", "notify"] },
  // the next owner gets the io after our last byte (L3), and every byte that is theirs (L17)
  { from: ["finishing"], on: ["quiet"], becomes: "kept-open", effects: ["stop-deadlines", "notify", "settle", "offer-parts"] },
  // the 101 has to leave before the io changes hands
  { from: ["http"], on: ["switched"], becomes: "switching", effects: [] },
  // as after any other end, but an io that nobody takes may not stay open for ever
  { from: ["switching"], on: ["quiet"], becomes: "kept-open", effects: ["stop-deadlines", "start-claim", "notify", "offer-parts"] },
  // RFC 9112 §9.6: a peer that is still sending must not lose the answer to a reset
  { from: ["http"], on: ["answered"], becomes: "lingering", effects: ["keep-last-deadlines", "half-close", "notify", "report"] },
  // the peer must not take a failure for an end
  { from: ["http", "switching"], on: ["failed", "aborted"], becomes: "down", effects: ["abort-io", "stop-deadlines", "stop-writing", "settle", "notify", "report"] },
  // the same, but there is no exchange to report on
  { from: ["finishing"], on: ["failed", "aborted"], becomes: "down", effects: ["abort-io", "stop-deadlines", "stop-writing", "settle", "notify"] },
  // an io that is gone now has ended as it should, unless our last bytes were still on their way
  { from: ["lingering"], on: ["failed", "aborted"], becomes: "down", effects: ["abort-io", "overrule-if-cut-off", "stop-deadlines", "stop-writing", "settle"] },
  // the next owner did not come
  { from: ["kept-open"], on: ["unclaimed"], becomes: "down", effects: ["overrule", "abort-io", "stop-deadlines", "stop-writing", "settle", "report"] },
  // the next owner does not want it
  { from: ["kept-open"], on: ["aborted"], becomes: "down", effects: ["abort-io", "stop-deadlines", "stop-writing", "settle"] },
  // idle, or by force: whoever waits for something learns that it will not come
  { from: ["http", "switching", "finishing"], on: ["taken"], becomes: "released", effects: ["stop-deadlines", "stop-writing", "let-go", "notify", "settle"] },
  // everyone was notified before
  { from: ["lingering", "kept-open"], on: ["taken"], becomes: "released", effects: ["stop-deadlines", "stop-writing", "let-go", "settle"] },
  // the io is gone; what was read from it is still somebody's
  { from: ["down"], on: ["taken"], becomes: "released", effects: [] },
];
