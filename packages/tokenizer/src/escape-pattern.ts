/** A pattern that is this text, outside of classes, in ours and in Oniguruma's syntax. */
export const escapePattern = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
