// `import SegNetToolkit` shows everything: SegNet and the rooms it is built of. For tools on top of the library, such as the command, the
// server and their tests; programs that segment and train need `import SegNet` alone.

@_exported public import SegNet
@_exported public import SegNetAnnotations
@_exported public import SegNetCPU
@_exported public import SegNetData
@_exported public import SegNetEvaluation
@_exported public import SegNetFormats
@_exported public import SegNetGraph
@_exported public import SegNetImages
@_exported public import SegNetNetworks
@_exported public import SegNetPlatform
@_exported public import SegNetRefinement
@_exported public import SegNetTraining
