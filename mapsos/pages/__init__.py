"""Resources of the REST interface as pages for people, with curves, maps and a builder of requests.

Templates, style sheets, scripts and catalogues of translations are files beside the modules; Leaflet and uPlot are
served from the packages that bring them. Every value is escaped by the template library. Pages load nothing from other
servers except the tiles that the admin names, and never show what ``rest`` does not offer.
"""
