/** The recorder, in base64. */
export const RECORDER: string;
