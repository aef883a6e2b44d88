type ImageErrorCode = 'BUNDLE_INCOMPLETE' | 'IMAGE_BUILD_FAILED' | 'IMAGE_TRANSFER_FAILED' | 'CREDENTIALS_UNREADABLE';

export class ImageError extends Error {
  readonly hint: string | undefined;

  constructor(
    readonly code: ImageErrorCode,
    message: string,
    hint?: string,
  ) {
    super(message);
    this.name = 'ImageError';
    this.hint = hint;
  }
}
