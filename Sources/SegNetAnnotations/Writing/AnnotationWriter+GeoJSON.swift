import SegNetImages

private struct GeoJSONFeature: Encodable {
    struct Geometry: Encodable {
        var type = "Polygon"
        var coordinates: [[[Double]]]
    }

    struct Properties: Encodable {
        var `class`: String
        var classID: Int
        var color: String
        var picture: String
        var pixels: Int
        /// The kind of the coordinates: `EPSG:32633`, `pixels`, or nothing where that is not known.
        var crs: String?

        private enum CodingKeys: String, CodingKey {
            case `class`, classID = "class_id", color, picture, pixels, crs
        }
    }

    var type = "Feature"
    var geometry: Geometry
    var properties: Properties
}

/// The reference system's name as GDAL and QGIS read it. RFC 7946 has taken this member out, and knows longitude and latitude on WGS 84
/// alone; without it these programs would take metres for degrees.
private struct GeoJSONReferenceSystem: Encodable {
    var type = "name"
    var properties: [String: String]

    init(epsgCode: Int) {
        // EPSG's own definition has the latitude first; files have the longitude first, which is OGC's.
        properties = ["name": epsgCode == 4326 ? "urn:ogc:def:crs:OGC:1.3:CRS84" : "urn:ogc:def:crs:EPSG::\(epsgCode)"]
    }
}

private struct GeoJSONDocument: Encodable {
    var type = "FeatureCollection"
    var crs: GeoJSONReferenceSystem?
    var features: [GeoJSONFeature]
}

extension AnnotationWriter {
    /// RFC 7946: exteriors anticlockwise and holes clockwise in the coordinates' own sense, the first point repeated at the end.
    var geoJSON: some Encodable {
        let codes = Set(pictures.map { $0.georeference?.epsgCode })
        return GeoJSONDocument(
            crs: codes.count == 1 ? codes.first?.flatMap { GeoJSONReferenceSystem(epsgCode: $0) } : nil,
            features: pictures.flatMap { picture in
                picture.regions.map { region in
                    let rings = region.polygon.rings.map { ring in
                        var points = ring.map { picture.georeference?.map($0) ?? [$0.x, $0.y] }
                        // Rows count downwards: as numbers, what is clockwise on the screen is anticlockwise.
                        if picture.georeference?.isMirrored ?? false { points.reverse() }
                        return points + points.prefix(1)
                    }
                    return GeoJSONFeature(
                        geometry: GeoJSONFeature.Geometry(coordinates: rings),
                        properties: GeoJSONFeature.Properties(
                            class: name(of: region),
                            classID: Int(region.classID),
                            color: classes.color(of: Int(region.classID)).hexadecimal,
                            picture: picture.file,
                            pixels: region.pixelCount,
                            crs: picture.georeference.map { $0.epsgCode.map { "EPSG:\($0)" } } ?? "pixels"
                        )
                    )
                }
            }
        )
    }

    private func name(of region: LabelRegion) -> String { classes.name(of: Int(region.classID)) }
}
