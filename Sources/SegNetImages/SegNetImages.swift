// SegNetImages
