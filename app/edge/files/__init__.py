# Not empty, unlike elsewhere: reading is one edge in several modules, and its callers need one name.
from app.edge.files.workspace import Judged as Judged
from app.edge.files.workspace import judge_workspace as judge_workspace
from app.edge.files.workspace import read_workspace as read_workspace
