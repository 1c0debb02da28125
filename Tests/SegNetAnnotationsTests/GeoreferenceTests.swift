import SegNetImages
import SegNetPlatform
import Testing

@testable import SegNetAnnotations

/// Files that GDAL has written (`Files/geotiff/make.py`), and where GDAL says that their corners lie.
@Suite(
    "Where a GeoTIFF lies",
    .enabled(if: PictureLibrary.tiff.isThere, "libtiff is not on this machine")
)
struct GeoreferenceTests {
    private struct Place: Decodable {
        var epsg: Int?
        var corners: [[Double]]?
    }

    private static let corners = [(0, 0), (40, 0), (0, 30), (40, 30), (7, 11)]
    static let names = [
        "utm", "degrees", "turned", "south-up", "point", "turned-point", "own-system", "no-system", "only-system",
        "tiepoints", "nothing",
    ]

    private static func places() throws -> [String: Place] {
        try JSONDecoder().decode(
            [String: Place].self,
            from: Data(contentsOf: URL(filePath: file("geotiff/places.json")))
        )
    }

    @Test("corners lie where GDAL has them, in the reference system that it names", arguments: names)
    func asGDAL(name: String) throws {
        let places = try Self.places()
        #expect(places.keys.sorted() == Self.names.sorted())
        let wanted = try #require(places[name])
        let found = try Georeference(picture: file("geotiff/\(name).tif"))
        guard let corners = wanted.corners else {
            #expect(found == nil)
            return
        }
        let place = try #require(found)
        #expect(place.epsgCode == wanted.epsg)
        for ((x, y), corner) in zip(Self.corners, corners) {
            let mapped = place.map(PixelPoint(Double(x), Double(y)))
            // GDAL keeps the same numbers and adds them up in its own order.
            for (one, other) in zip(mapped, corner) { #expect(abs(one - other) <= 1e-12 * max(1, abs(other))) }
        }
    }

    @Test("a file's own tags go before a world file; without a place in them the world file has it")
    func worldFile() throws {
        let scratch = try ScratchFolder()
        for name in ["utm", "only-system", "nothing"] {
            try FileManager.default.copyItem(atPath: file("geotiff/\(name).tif"), toPath: scratch("\(name).tif"))
            try scratch.write("1\n0\n0\n-1\n7.5\n8.5\n", "\(name).tfw")
        }
        #expect(try Georeference(picture: scratch("utm.tif")) == Georeference(picture: file("geotiff/utm.tif")))
        let world = Georeference(a: 1, b: 0, c: 7, d: 0, e: -1, f: 9)
        #expect(try Georeference(picture: scratch("nothing.tif")) == world)
        var named = world
        named.epsgCode = 32633
        #expect(try Georeference(picture: scratch("only-system.tif")) == named)
    }

    @Test("a TIFF that is stored turned has no place, since its tags are about the pixels as stored")
    func turned() throws {
        let scratch = try ScratchFolder()
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: file("geotiff/utm.tif"))))
        // PlanarConfiguration (284, a short, one value: 1, which is what is taken without it) becomes Orientation (274): 3, half a turn.
        let tag: [UInt8] = [0x1C, 0x01, 3, 0, 1, 0, 0, 0, 1, 0]
        let at = try #require((0..<bytes.count - 10).first { Array(bytes[$0..<$0 + 10]) == tag })
        (bytes[at], bytes[at + 8]) = (0x12, 3)
        let path = scratch("turned.tif")
        try Data(bytes).write(to: URL(filePath: path))
        #expect(try !TIFFFile(path: path).isUpright)
        #expect(try Georeference(picture: path) == nil)
    }

    @Test("GeoJSON names the reference system, and says what its coordinates are")
    func geoJSON() throws {
        func text(_ names: [String]) throws -> String {
            var writer = AnnotationWriter(
                .geoJSON,
                classes: ClassTable(name: "t", classes: [ClassTable.Entry("Road", Color(1, 2, 3))])
            )
            for name in names {
                let path = file("geotiff/\(name).tif")
                writer.add(try map("aa", "aa"), file: path, georeference: try Georeference(picture: path))
            }
            return String(decoding: try writer.data(), as: UTF8.self)
        }
        let utm = try text(["utm", "point"])
        #expect(
            utm.contains(
                "[[[500000,5649999.5],[500001,5649999.5],[500001,5650000],[500000,5650000],[500000,5649999.5]]]"
            )
        )
        #expect(
            utm.hasPrefix(#"{"crs":{"properties":{"name":"urn:ogc:def:crs:EPSG::32633"},"type":"name"},"features":"#)
        )
        #expect(utm.contains(#""crs":"EPSG:32633""#))
        // Files have the longitude first.
        let degrees = try text(["degrees"])
        #expect(degrees.contains("[13.25,52.5]"))
        #expect(degrees.contains("urn:ogc:def:crs:OGC:1.3:CRS84") && degrees.contains(#""crs":"EPSG:4326""#))
        // With two reference systems in one file, each feature has its own and the file has none.
        let two = try text(["utm", "degrees"])
        #expect(!two.contains("urn:") && two.contains("EPSG:32633") && two.contains("EPSG:4326"))
        #expect(try !text(["own-system"]).contains("crs"))
        let pixels = try text(["nothing"])
        #expect(pixels.contains(#""crs":"pixels""#) && !pixels.contains("urn:"))
    }
}
