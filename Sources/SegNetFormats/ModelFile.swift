public import SegNetNetworks

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Reads a model from whatever file the user has.
public enum ModelFile {
    /// A model, and what the user should know about its reading: full sentences.
    public struct Reading: Sendable {
        public let model: Model
        public let notes: [String]
        /// For the original's files: which layers got weights.
        public let report: WeightsReport?
    }

    /// Reads a `.safetensors` file, or a `.caffemodel` with the `.prototxt` that describes its network.
    ///
    /// The kind is told from the file's first bytes, not from its name. Weights stay in the file until they are used.
    /// - Parameters:
    ///   - url: The file with the weights.
    ///   - network: The description, for a `.caffemodel` only.
    /// - Throws: `FormatError` naming the file and what to do.
    public static func read(
        _ url: URL,
        network: URL? = nil,
        options: Caffe.ReadingOptions = Caffe.ReadingOptions()
    ) throws(FormatError) -> Reading {
        let start = try MappedFile(url).withBytes { Array($0.prefix(9)) }
        // A safetensors header is a JSON object behind its length of eight bytes.
        if start.count == 9, start[8] == UInt8(ascii: "{"), start[4..<8].allSatisfy({ $0 == 0 }) {
            guard network == nil else {
                throw FormatError(
                    file: url.relativePath,
                    problem: "is a safetensors file, which brings its network with it",
                    advice: "Leave --network out"
                )
            }
            return Reading(model: try SafetensorsFile.readModel(url), notes: [], report: nil)
        }
        let name = url.lastPathComponent.lowercased()
        if name.hasSuffix(".safetensors") {
            // Its own reader says best what is wrong.
            return Reading(model: try SafetensorsFile.readModel(url), notes: [], report: nil)
        }
        if name.hasSuffix(".prototxt") {
            throw FormatError(
                file: url.relativePath,
                problem: "describes a network but has no weights",
                advice: "Give the .caffemodel with --model and this file with --network"
            )
        }
        guard let network else {
            throw FormatError(
                file: url.relativePath,
                problem: name.hasSuffix(".caffemodel")
                    ? "holds weights but not how its layers are connected for inference"
                    : "is neither a safetensors file nor a .caffemodel with its description",
                advice: "Give its .prototxt with --network"
            )
        }
        let reading = try Caffe.readModel(weights: url, network: network, options: options)
        return Reading(model: reading.model, notes: reading.notes, report: reading.report)
    }
}
