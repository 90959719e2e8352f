"""The season's calendar, and the people who get something."""

EVENTS = """
# name                        | date       | state         | guests | parcels
Harvest Market                | 2024-09-21 | completed     | 180    | 8
Ødegård and Lindqvist wedding | 2024-10-05 | completed     | 64     | 18
Allotment open day            | 2024-10-19 | completed     |        | 7
Día de Muertos supper         | 2024-11-02 | completed     | 30     | 10
Thanksgiving boxes            | 2024-11-28 | completed     |        | 22
School St. Nicholas           | 2024-12-06 | completed     | 95     | 14
Christmas gift boxes          | 2024-12-21 | completed     |        | 46
New Year's brunch             | 2025-01-01 | completed     | 22     | 8
Galette evening, Épiphanie    | 2025-01-11 | completed     | 16     | 6
Library fundraiser            | 2025-01-25 | completed     | 120    | 10
Valentine's boxes             | 2025-02-14 | in_production |        | 26
Easter orders                 | 2025-04-19 | planned       |        | 12
Summer fête                   | 2025-06-28 | draft         | 200    | 0
"""

# Which packages each event offers.
OFFERS = """
Harvest Market                | The Neighbour; Breakfast in Bed; Host's Thanks
Ødegård and Lindqvist wedding | Crème de la Crème; Without Gluten
Allotment open day            | The Neighbour; Host's Thanks
Día de Muertos supper         | Chocolate Lover; Host's Thanks
Thanksgiving boxes            | The Neighbour; Breakfast in Bed; Chocolate Lover
School St. Nicholas           | Winter Evening; The Neighbour
Christmas gift boxes          | Winter Evening; Chocolate Lover; Stollen by Post
Christmas gift boxes          | Without Gluten; Grand Hamper; Winter Evening
New Year's brunch             | Breakfast in Bed; Crème de la Crème
Galette evening, Épiphanie    | Crème de la Crème; Winter Evening
Library fundraiser            | Host's Thanks; The Neighbour; Without Gluten
Valentine's boxes             | Chocolate Lover; Without Gluten; Crème de la Crème
Easter orders                 | The Neighbour; Breakfast in Bed; Without Gluten
"""

# A household's members follow its name; one without a household stands alone.
RECIPIENTS = """
Ångström-Reyes   | 4 Quay Steps        | Zoë Ångström; Mateo Reyes; Ylva Reyes
Ødegård          | 11 Lighthouse Lane  | Søren Ødegård; Ingrid Lindqvist
Wójcik           | 27 Mill Street      | Łucja Wójcik; Tadeusz Wójcik
Núñez            | 3 Market Cross      | José Núñez; Inés Núñez; Begoña Peña
Okonkwo          | 52 Chandler's Row   | Adaeze Okonkwo; Chidi Okonkwo
Ó Briain         | 8 Chapel Hill       | Siobhán Ó Briain; Tadhg Ó Briain
Şahin            | 19 Mill Street      | Özge Şahin; Gülşen Şahin; İpek Doğan
Nguyễn           | 6 Orchard Row       | Nguyễn Thị Hạnh; Trần Quốc Bảo
Watanabe         | 31 Harbour Parade   | 渡辺 さくら; 渡辺 健
Petrov           | 40 Harbour Parade   | Ольга Петрова; Дмитрий Петров
Papadakis        | 2 Station Yard      | Ελένη Παπαδάκη; Νίκος Παπαδάκης
Haddad           | 14 Linden Avenue    | ليلى حداد; Karim Haddad
Dvořák           | 9 Linden Avenue     | Jiří Dvořák; Růžena Dvořáková
Whitcombe        | 1 Rectory Close     | Agnes Whitcombe; Rev. Paul Whitcombe
Moreau-D'Arcy    | 22 Chapel Hill      | Aurélie Moreau; Félix D'Arcy
Iyer             | 17 Station Yard     | Lakshmi Iyer; Arjun Iyer; Meera Iyer
Kowalczyk        | 35 Mill Street      | Żaneta Kowalczyk; Marek Kowalczyk
Bauer            | 5 Rectory Close     | Jürgen Bauer; Käthe Bauer
Fitzgerald       | 12 Quay Steps       | Nora Fitzgerald; Owen Fitzgerald
Tamm             | 28 Orchard Row      | Õie Tamm; Jüri Tamm
Silva            | 7 Market Cross      | João Silva; Conceição Silva
                 |                     | Beatrix Quill; Emeka Obi; Maud Pettifer; Gwen Rhys-Hughes
                 |                     | Postmistress; Linden Bay Library; School staff room
                 |                     | Night shift, ward 4; Fire station; Tom at the allotments
"""

PREFERENCES = [
    ["no nuts"],
    ["no gluten"],
    ["dark chocolate", "no raisins"],
    ["savoury"],
    ["no alcohol"],
]
