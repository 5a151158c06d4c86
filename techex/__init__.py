"""TechEx, a technology exchange.

Text becomes vectors, vectors become candidates, candidates become ranked matches with their reasons.

    core, web                        what every domain and every page needs
    regions, organisations, listings who offers and seeks what, and where
    embedding, search, matching      text -> vectors -> candidates -> matches
    interchange                      files in and out, the demo exchange
    admin                            pages that belong to no domain
"""

__version__ = "0.1.0"
