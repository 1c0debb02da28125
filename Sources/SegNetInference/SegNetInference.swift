// SegNetInference
