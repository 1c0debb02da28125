// What `import SegNet` shows: the types of this module, and of the rooms below it the types that a user's code names. What a tool on top of
// the library needs beyond them (layers, file formats, threads, batches) comes with `import SegNetToolkit`; docs/decisions/0011.

// Training.
@_exported public import struct SegNetData.Augmentation
// Data and scores.
@_exported public import struct SegNetData.Dataset
@_exported public import struct SegNetData.DatasetError
@_exported public import enum SegNetData.DatasetKind
@_exported public import struct SegNetData.DatasetOptions
@_exported public import struct SegNetData.Example
@_exported public import struct SegNetData.InputFiles
@_exported public import struct SegNetData.Sample
@_exported public import struct SegNetData.StreetScene
@_exported public import struct SegNetEvaluation.BoundaryScore
@_exported public import struct SegNetEvaluation.ConfusionMatrix
@_exported public import struct SegNetEvaluation.Scores
// Models.
@_exported public import struct SegNetFormats.FormatError
@_exported public import struct SegNetFormats.WeightsReport
// Pictures.
@_exported public import struct SegNetImages.ClassTable
@_exported public import struct SegNetImages.Color
@_exported public import struct SegNetImages.DecodingLimits
@_exported public import struct SegNetImages.Image
@_exported public import struct SegNetImages.ImageError
@_exported public import struct SegNetImages.LabelMap
@_exported public import struct SegNetImages.MultichannelImage
@_exported public import struct SegNetImages.Plane
@_exported public import enum SegNetNetworks.Architecture
@_exported public import struct SegNetNetworks.Model
@_exported public import struct SegNetNetworks.ModelMetadata
@_exported public import struct SegNetNetworks.Network
@_exported public import struct SegNetNetworks.NetworkError
@_exported public import struct SegNetNetworks.WeightsError
@_exported public import struct SegNetTensors.MemoryError
@_exported public import struct SegNetTensors.Shape
@_exported public import struct SegNetTraining.CheckpointError
@_exported public import struct SegNetTraining.ConfigurationError
@_exported public import struct SegNetCPU.DivergenceError
@_exported public import struct SegNetCPU.OptimizerConfiguration
@_exported public import struct SegNetTraining.Schedule
@_exported public import struct SegNetTraining.StepReport
@_exported public import enum SegNetTraining.StopRequest
@_exported public import class SegNetTraining.Trainer
@_exported public import struct SegNetTraining.TrainingConfiguration
@_exported public import struct SegNetCPU.TrainingMemoryError
@_exported public import struct SegNetTraining.TrainingResult
@_exported public import struct SegNetTraining.ValidationReport
