type ImageErrorCode = 'BUNDLE_INCOMPLETE' | 'IMAGE_BUILD_FAILED' | 'IMAGE_TRANSFER_FAILED' | 'CREDENTIALS_UNREADABLE';

export class ImageError extends Error {
  override readonly name = 'ImageError';

  constructor(
    readonly code: ImageErrorCode,
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}
