// bytes ← [sink] ← serializer ← events: where serialized octets go

/** Takes octets in order. Text is one octet per character. */
export interface Sink {
  text(octets: string): void;
  bytes(octets: Uint8Array): void;
}
