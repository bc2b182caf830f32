"""Small files of each format, as their publishers write them, with what is odd in the real ones."""

from __future__ import annotations

import io
import json
import zipfile

OCCUPATIONS = (
    "O*NET-SOC Code\tTitle\tDescription\n"
    "51-4121.00\tWelders, Cutters, Solderers, and Brazers\tUse hand-welding equipment to join metal.\n"
    '11-1011.00\tChief Executives\tDetermine "policies" and direct.\n'
)
ONET = {
    "Occupation Data.txt": OCCUPATIONS,
    "Alternate Titles.txt": (
        "O*NET-SOC Code\tAlternate Title\tShort Title\tSource(s)\n51-4121.00\tMIG Welder\tn/a\t08\n"
    ),
    "Content Model Reference.txt": (
        "Element ID\tElement Name\tDescription\n"
        "2\tWorker Requirements\tAll of it.\n"
        "2.A\tBasic Skills\tFacilitate learning.\n"
        "2.A.1\tContent\tBackground.\n"
        "2.A.1.a\tReading Comprehension\tUnderstanding written sentences.\n"
        "4.C\tWork Context\tNot what occupations are rated by here.\n"
    ),
    "Skills.txt": (
        "O*NET-SOC Code\tElement ID\tElement Name\tScale ID\tData Value\tN\tRecommend Suppress\tDate\n"
        "11-1011.00\t2.A.1.a\tReading Comprehension\tIM\t4.12\t8\tN\t07/2014\n"
        "11-1011.00\t2.A.1.a\tReading Comprehension\tLV\t4.75\t8\tN\t07/2014\n"
        "51-4121.00\t2.A.1.a\tReading Comprehension\tIM\t2.88\t8\tN\t07/2014\n"
        "51-4121.00\t2.A.1.a\tReading Comprehension\tLV\t2.62\t8\tY\t07/2014\n"
    ),
}
ESCO_SKILL = "http://data.europa.eu/esco/skill/0005c151-5b5a-4a66-8aac-60e734beb1ab"
ESCO_GROUP = "http://data.europa.eu/esco/skill/S1.2"
ESCO_WELDER = "http://data.europa.eu/esco/occupation/00030d09-2b3a-4efd-87cc-c4ea39d27c34"
ESCO = {
    "skills_en.csv": (
        "conceptType,conceptUri,skillType,reuseLevel,preferredLabel,altLabels,hiddenLabels,status,description\n"
        f'KnowledgeSkillCompetence,{ESCO_SKILL},skill/competence,cross-sector,manage staff,"lead staff\n'
        'direct personnel",,released,Manage employees.\n'
    ),
    "skillGroups_en.csv": (
        f"conceptType,conceptUri,preferredLabel,altLabels,hiddenLabels,status,description,code\n"
        f"SkillGroup,{ESCO_GROUP},leading others,,,released,Guiding people.,S1.2\n"
    ),
    "occupations_en.csv": (
        "conceptType,conceptUri,iscoGroup,preferredLabel,altLabels,hiddenLabels,status,description,code\n"
        f"Occupation,{ESCO_WELDER},7212,welder,,,released,Joins metal.,7212.3\n"
    ),
    "broaderRelationsSkillPillar_en.csv": (
        f"conceptType,conceptUri,broaderType,broaderUri\nKnowledgeSkillCompetence,{ESCO_SKILL},SkillGroup,{ESCO_GROUP}\n"
    ),
    "occupationSkillRelations_en.csv": (
        f"occupationUri,relationType,skillType,skillUri\n{ESCO_WELDER},essential,skill/competence,{ESCO_SKILL}\n"
    ),
}
ESCO_JSON_LD = json.dumps(
    {
        "@context": "http://data.europa.eu/esco/context.jsonld",
        "@graph": [
            {
                "@id": ESCO_SKILL,
                "@type": ["skos:Concept", "esco:Skill"],
                "preferredLabel": {"en": "manage staff", "fr": "gérer du personnel"},
                "altLabel": {"en": ["lead staff"]},
                "broader": [ESCO_GROUP],
                "skos:closeMatch": {"@id": "https://other.example/lead"},
            },
            {
                "@id": ESCO_GROUP,
                "@type": "skos:Concept",
                "prefLabel": [{"@language": "en", "@value": "leading others"}],
            },
            {
                "@id": ESCO_WELDER,
                "@type": "esco:Occupation",
                "prefLabel": {"en": "welder"},
                "esco:relatedEssentialSkill": [ESCO_SKILL],
            },
        ],
    }
)
_REGISTRY = "https://credentialengineregistry.org/resources/"
CTDL_ASN = json.dumps(
    {
        "@context": "https://credreg.net/ctdlasn/schema/context/json",
        "@id": f"{_REGISTRY}ce-1",
        "@graph": [
            {
                "@id": f"{_REGISTRY}ce-1",
                "@type": "ceasn:CompetencyFramework",
                "ceasn:name": {"en-us": "Nursing Basics"},
                "ceasn:license": "https://creativecommons.org/licenses/by/4.0/",
                "ceasn:dateModified": "2024-02-01",
            },
            {
                "@id": f"{_REGISTRY}ce-2",
                "@type": "ceasn:Competency",
                "ceasn:codedNotation": "N.1",
                "ceasn:competencyText": {"en-us": "Assess a patient."},
                "ceasn:hasChild": [f"{_REGISTRY}ce-3"],
            },
            {
                "@id": f"{_REGISTRY}ce-3",
                "@type": "ceasn:Competency",
                "ceasn:codedNotation": "N.1.1",
                "ceasn:competencyText": {"en-us": "Measure blood pressure."},
                "ceasn:isChildOf": [f"{_REGISTRY}ce-2"],
                "ceasn:exactAlignment": ["https://other.example/bp"],
            },
        ],
    }
)
RSD_JSON = json.dumps(
    {
        "@context": "https://rsd.openskillsnetwork.org/context-v1.json",
        "id": "https://osmt.example/api/collections/1",
        "name": "Customer Care",
        "updateDate": "2023-03-01",
        "skills": [
            {
                "id": "https://osmt.example/api/skills/a",
                "uuid": "a",
                "type": "RichSkillDescriptor",
                "skillName": "Active Listening",
                "skillStatement": "Listen to what customers say.",
                "keywords": ["Empathy"],
                "categories": ["Communication"],
                "alignments": [{"id": "https://www.onetonline.org/link/summary/51-4121.00", "skillName": "Listening"}],
            }
        ],
    }
)
RSD_CSV = (
    "Canonical URL,RSD Name,Authors,Skill Statement,Categories,Keywords,Alignment Name,Alignment URL\n"
    "https://osmt.example/api/skills/a,Active Listening,Nate,Listen to what customers say.,Communication,"
    "Empathy; SEL,Listening,https://other.example/listen\n"
)
SKOS_TURTLE = """@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix s: <https://skills.example/> .
s:scheme a skos:ConceptScheme ; dct:title "Skills of Example"@en ; dct:license <https://l.example/by> .
s:cook a skos:Concept ; skos:prefLabel "cooking"@en, "kochen"@de ; skos:notation "C1" ; skos:topConceptOf s:scheme .
s:bake a skos:Concept ; skos:prefLabel "baking"@en ; skos:broader s:cook ;
  skos:exactMatch <https://other.example/bake> .
"""
SKOS_XML = """<?xml version="1.0" encoding="UTF-8"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:skos="http://www.w3.org/2004/02/skos/core#">
<skos:Concept rdf:about="https://skills.example/cook"><skos:prefLabel xml:lang="en">cooking</skos:prefLabel>
<skos:narrower><skos:Concept rdf:about="https://skills.example/bake"><skos:prefLabel>baking</skos:prefLabel>
</skos:Concept></skos:narrower></skos:Concept></rdf:RDF>
"""
SKOS_JSON_LD = json.dumps(
    {
        "@context": {
            "skos": "http://www.w3.org/2004/02/skos/core#",
            "broader": {"@id": "skos:broader", "@type": "@id"},
        },
        "@graph": [
            {"@id": "https://skills.example/cook", "@type": "skos:Concept", "skos:prefLabel": "cooking"},
            {
                "@id": "https://skills.example/bake",
                "@type": "skos:Concept",
                "skos:prefLabel": "baking",
                "broader": "https://skills.example/cook",
            },
        ],
    }
)
CASE = {
    "CFDocument": {
        "identifier": "d1",
        "uri": "https://case.example/d1",
        "title": "Welding",
        "version": "2",
        "licenseURI": {"title": "CC BY", "uri": "https://creativecommons.org/licenses/by/4.0/"},
    },
    "CFItems": [
        {"identifier": "i1", "uri": "https://case.example/i1", "fullStatement": "Weld", "humanCodingScheme": "W"},
        {
            "identifier": "i2",
            "uri": "https://case.example/i2",
            "fullStatement": "Weld overhead",
            "humanCodingScheme": "W.1",
            "CFItemType": "Skill",
        },
    ],
    "CFAssociations": [
        {
            "associationType": "isChildOf",
            "originNodeURI": {"identifier": "i2", "uri": "https://case.example/i2"},
            "destinationNodeURI": {"identifier": "i1", "uri": "https://case.example/i1"},
        },
        {
            "associationType": "exactMatchOf",
            "originNodeURI": {"identifier": "i2", "uri": "https://case.example/i2"},
            "destinationNodeURI": {"identifier": "x", "uri": "https://other.example/x"},
        },
    ],
}


def archive(files: dict[str, str]) -> bytes:
    """The files in a folder of a zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as folder:
        for name, text in files.items():
            folder.writestr(f"download/{name}", text)
    return packed.getvalue()
