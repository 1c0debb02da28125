// What `import SegNet` gives: the segmenter of this module, and the types its callers name.
@_exported public import SegNetCPU
@_exported public import SegNetData
@_exported public import SegNetEvaluation
@_exported public import SegNetFormats
@_exported public import SegNetImages
@_exported public import SegNetNetworks
@_exported public import SegNetTensors
@_exported public import SegNetTraining
