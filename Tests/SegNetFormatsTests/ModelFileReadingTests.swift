import SegNetNetworks
import Testing

@testable import SegNetFormats

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

@Suite("model files of any kind")
struct ModelFileReadingTests {
    @Test("a file's content decides, whatever its name")
    func content() throws {
        let model = try SampleModels.basic()
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("model.bin")
            try SafetensorsFile.write(model, to: url)
            #expect(try ModelFile.read(url).model.network == model.network)
            let (weights, text) = (folder.appendingPathComponent("w.bin"), folder.appendingPathComponent("n.txt"))
            try Caffe.write(model, weights: weights, network: text)
            let reading = try ModelFile.read(weights, network: text)
            #expect(reading.report?.loaded.count == 17)
            // Weights that were never trained look like weights without statistics: that is the second note.
            #expect(reading.notes.count == 2)
            #expect(
                reading.notes.first
                    == "dropout is idle here; the file asks for sampling at test time in 'encdrop3', 'encdrop4', 'decdrop4', "
                    + "'decdrop3'."
            )
        }
    }

    @Test("what is missing or too much is said")
    func advice() throws {
        try withTemporaryFolder { folder in
            let caffe = try folder.write([0xa2, 6, 0], as: "a.caffemodel")
            #expect(
                message { try ModelFile.read(caffe) }
                    == "a.caffemodel: holds weights but not how its layers are connected for inference. "
                    + "Give its .prototxt with --network."
            )
            let text = try folder.write("name: \"x\"", as: "a.prototxt")
            #expect(
                message { try ModelFile.read(text) }
                    == "a.prototxt: describes a network but has no weights. "
                    + "Give the .caffemodel with --model and this file with --network."
            )
            let picture = try folder.write("GIF", as: "a.gif")
            #expect(
                message { try ModelFile.read(picture) }
                    == "a.gif: is neither a safetensors file nor a .caffemodel with its description. "
                    + "Give its .prototxt with --network."
            )
            let url = URL(fileURLWithPath: "a.safetensors", relativeTo: folder)
            try SafetensorsFile.write(try SampleModels.basic(), to: url)
            #expect(
                message { try ModelFile.read(url, network: text) }
                    == "a.safetensors: is a safetensors file, which brings its network with it. Leave --network out."
            )
        }
    }
}
