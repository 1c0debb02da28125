public import SegNetAnnotations
public import SegNetCPU
public import SegNetData
public import SegNetFormats
public import SegNetImages
public import SegNetNetworks
public import SegNetPlatform
public import SegNetRefinement
public import SegNetTraining

extension SegmenterError: LocalizedError { public var errorDescription: String? { description } }
extension StatisticsPass.InputError: LocalizedError { public var errorDescription: String? { description } }
extension Segmenter.WordsError: LocalizedError { public var errorDescription: String? { description } }
extension AccuracyChoiceError: LocalizedError { public var errorDescription: String? { description } }
extension BatchError: LocalizedError { public var errorDescription: String? { description } }
extension CheckpointError: LocalizedError { public var errorDescription: String? { description } }
extension ConfigurationError: LocalizedError { public var errorDescription: String? { description } }
extension DatasetError: LocalizedError { public var errorDescription: String? { description } }
extension DenseCRFError: LocalizedError { public var errorDescription: String? { description } }
extension DivergenceError: LocalizedError { public var errorDescription: String? { description } }
extension FormatError: LocalizedError { public var errorDescription: String? { description } }
extension ImageError: LocalizedError { public var errorDescription: String? { description } }
extension InstructionSetChoiceError: LocalizedError { public var errorDescription: String? { description } }
extension InstructionSetError: LocalizedError { public var errorDescription: String? { description } }
extension MemoryError: LocalizedError { public var errorDescription: String? { description } }
extension ModelAverageError: LocalizedError { public var errorDescription: String? { description } }
extension NetworkError: LocalizedError { public var errorDescription: String? { description } }
extension ShapeRuleError: LocalizedError { public var errorDescription: String? { "\(problem)." } }
extension TrainingInterruptedError: LocalizedError { public var errorDescription: String? { description } }
extension TrainingMemoryError: LocalizedError { public var errorDescription: String? { description } }
extension WeightsError: LocalizedError { public var errorDescription: String? { description } }
extension AnnotationError: LocalizedError { public var errorDescription: String? { description } }
extension OtherRankError: LocalizedError { public var errorDescription: String? { description } }
extension RankGroupError: LocalizedError { public var errorDescription: String? { description } }
extension RanksDifferError: LocalizedError { public var errorDescription: String? { description } }
extension VideoError: LocalizedError { public var errorDescription: String? { description } }
