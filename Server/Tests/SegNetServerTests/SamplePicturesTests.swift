import Foundation
import SegNetToolkit
import Testing

@testable import SegNetServer

@Suite("Sample pictures")
struct SamplePicturesTests {
    /// A folder with these files, each with its name inside, and a list.
    private func withFolder<Value>(_ names: [String], list: String? = nil, _ body: (URL) throws -> Value) throws
        -> Value
    {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "segnet-samples-\(UInt64.random(in: 0 ... .max))"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for name in names { try Data(name.utf8).write(to: folder.appending(path: name)) }
        if let list { try Data(list.utf8).write(to: folder.appending(path: "samples.json")) }
        return try body(folder)
    }

    @Test("without a list they come by name; what is not a picture is left out")
    func unlisted() throws {
        try withFolder(["old_town-2.png", "b.txt", "a.JPG", ".hidden.jpg"]) { folder in
            let samples = try SamplePictures(folders: [folder])
            #expect(samples.samples.map(\.name) == ["a", "old_town-2"])
            #expect(samples.samples.map(\.title) == ["a", "old town 2"])
            #expect(samples.file("a.JPG")?.bytes == Array("a.JPG".utf8))
            #expect(samples.file("b.txt") == nil)
        }
    }

    @Test("a list gives titles and what comes first; others follow, and of equal names the first folder's counts")
    func listed() throws {
        let list = #"""
            {"samples": [{"name": "c", "title": "Third", "url": "/samples/c.png"},
                         {"name": "a b", "title": "First", "url": "/samples/a%20b.jpg"}]}
            """#
        try withFolder(["a b.jpg", "b.jpg", "c.png"], list: list) { folder in
            try withFolder(["b.png", "d.png"]) { other in
                let samples = try SamplePictures(folders: [folder, other]).samples
                #expect(samples.map(\.fileName) == ["c.png", "a b.jpg", "b.jpg", "d.png"])
                #expect(samples.map(\.title) == ["Third", "First", "b", "d"])
            }
        }
    }

    @Test("a list that cannot be read is named with the form it needs")
    func noList() throws {
        try withFolder(["a.jpg"], list: "[]") { folder in
            let error = #expect(throws: ServiceError.self) { try SamplePictures(folders: [folder]) }
            let path = folder.appending(path: "samples.json").path(percentEncoded: false)
            #expect(
                error?.description
                    == "\(path): this is not a list of samples; it needs the form "
                    + #"{"samples": [{"name": "street", "title": "A street", "url": "/samples/street.jpg"}]}."#
            )
        }
    }

    @Test("a list's picture that is not there is named")
    func missing() throws {
        let list = #"{"samples": [{"name": "b", "title": "B", "url": "/samples/b.jpg"}]}"#
        try withFolder(["a.jpg"], list: list) { folder in
            let error = #expect(throws: ServiceError.self) { try SamplePictures(folders: [folder]) }
            let path = folder.appending(path: "samples.json").path(percentEncoded: false)
            #expect(
                error?.description
                    == "\(path): there is no picture 'b.jpg' next to it for 'b'; add it, or take it off the list."
            )
        }
    }

    @Test("a page without samples has the picture next to the models; folders that are not there have none")
    func fallback() throws {
        let page = try TestPage()
        let models = TestFiles.repository.appending(path: "Models")
        #expect(try SamplePictures(page: page.url, models: [models]).samples.map(\.name) == ["street"])
        #expect(try SamplePictures(folders: [page.url.appending(path: "none")]).samples.isEmpty)
    }
}
