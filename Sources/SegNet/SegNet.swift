// What `import SegNet` shows: the types of this module, and those types of the rooms below it that a user's code names. The rest
// (networks and their layers, annotations, file formats, threads, batches), which a tool built on the library needs, comes with
// `import SegNetToolkit`; docs/decisions/0011-import.md.
//
// By subject, not by module:
// swift-format-ignore-file: OrderedImports

// Pictures and what is found in them
@_exported public import struct SegNetImages.ClassTable
@_exported public import struct SegNetImages.Color
@_exported public import struct SegNetImages.DecodingLimits
@_exported public import struct SegNetImages.Image
@_exported public import struct SegNetImages.ImageError
@_exported public import struct SegNetImages.LabelMap
@_exported public import struct SegNetImages.MultichannelImage
@_exported public import struct SegNetImages.Plane
@_exported public import struct SegNetPlatform.PictureSize
@_exported public import struct SegNetRefinement.DenseCRF

// Errors of models and of the machine
@_exported public import struct SegNetFormats.FormatError
@_exported public import struct SegNetNetworks.NetworkError
@_exported public import struct SegNetNetworks.WeightsError
@_exported public import struct SegNetPlatform.MemoryError

// Data sets and scores
@_exported public import struct SegNetData.Augmentation
@_exported public import struct SegNetData.Dataset
@_exported public import struct SegNetData.DatasetError
@_exported public import enum SegNetData.DatasetKind
@_exported public import struct SegNetData.DatasetOptions
@_exported public import struct SegNetData.StreetScene
@_exported public import struct SegNetEvaluation.ConfusionMatrix
@_exported public import struct SegNetEvaluation.Scores

// Training
@_exported public import struct SegNetCPU.DivergenceError
@_exported public import struct SegNetCPU.OptimizerConfiguration
@_exported public import struct SegNetCPU.TrainingMemoryError
@_exported public import enum SegNetNetworks.Architecture
@_exported public import struct SegNetTraining.CheckpointError
@_exported public import struct SegNetTraining.ComparisonPlan
@_exported public import struct SegNetTraining.ConfigurationError
@_exported public import struct SegNetTraining.Schedule
@_exported public import struct SegNetTraining.StepReport
@_exported public import enum SegNetTraining.StopRequest
@_exported public import class SegNetTraining.Trainer
@_exported public import struct SegNetTraining.TrainingConfiguration
@_exported public import struct SegNetTraining.TrainingInterruptedError
@_exported public import struct SegNetTraining.TrainingNote
@_exported public import struct SegNetTraining.TrainingResult
@_exported public import struct SegNetTraining.ValidationReport
