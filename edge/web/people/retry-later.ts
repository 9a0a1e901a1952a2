import { CodedError } from '#edge/runtime/errors.ts';

/** An answer 429: no try is looked at before. */
export class RetryLater extends CodedError {
  /** s */
  readonly retryAfter: number;

  constructor(code: string, message: string, pauseMs: number) {
    super(code, message);
    this.retryAfter = Math.ceil(pauseMs / 1000);
  }
}
