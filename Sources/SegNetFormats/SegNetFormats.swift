// SegNetFormats
